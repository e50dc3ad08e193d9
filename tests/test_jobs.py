"""Files of employees as jobs: sent, checked, scored, journalled and downloaded, through the served app."""

import io
from typing import Any

import pandas as pd
from sqlalchemy import select

from churn.database.tables import prediction_results, requests
from churn.records.integrity import verify
from harness.servers import wait_until
from tests.conftest import Served
from tests.support.tables import employees

Job = dict[str, Any]


def csv_of(table: pd.DataFrame, **options: Any) -> bytes:
    return table.to_csv(index=False, **options).encode()


def send(served: Served, content: bytes, name: str = "employees.csv", query: str = "", **headers: str) -> Job:
    """Send a file, and return the job."""
    answer = served.client.post(f"/predict_file{query}", files={"file": (name, content)}, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == answer.json()["addresses"]["self"]
    job: Job = answer.json()
    return job


def awaited(served: Served, job: Job, *states: str) -> Job:
    """Wait until a job is in a state, by default at its end, and return it."""
    seen = job

    def is_there() -> bool:
        seen.update(served.client.get(job["addresses"]["self"]).raise_for_status().json())
        return seen["state"] in (states or ("done", "failed", "cancelled"))

    wait_until(is_there, lambda: str(seen))
    return seen


def test_a_file_is_scored_and_journalled(served: Served) -> None:
    table = employees(30).astype({"poste": object})
    table.loc[4, "poste"] = "Astronaute"
    job = awaited(served, send(served, csv_of(table)))
    assert (job["state"], job["error"]) == ("done", None)
    assert (job["rows"], job["scored"], job["rejected"], job["progress"]) == (30, 29, 1, 1)
    [problem] = job["problems"]
    assert (problem["line"], problem["column"]) == (6, "poste")
    assert "Astronaute" not in str(job)
    scores = pd.read_csv(
        io.BytesIO(served.client.get(job["addresses"]["result"], params={"lang": "en"}).content)
    )
    assert len(scores) == 29
    with served.engine.connect() as connection:
        stored = connection.execute(
            select(
                prediction_results.c.id, prediction_results.c.probability, prediction_results.c.caller_name
            )
            .join(requests, requests.c.id == prediction_results.c.request_id)
            .where(requests.c.route == "/predict_file")
        ).all()
    assert {str(row.id): row.probability for row in stored} == dict(
        zip(scores["prediction_id"], scores["probability"], strict=True)
    )
    assert {row.caller_name for row in stored} == {"tests"}
    assert verify(served.engine).findings == []
