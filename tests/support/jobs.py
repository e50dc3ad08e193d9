"""Files sent to be scored, through any client, and the jobs that they become."""

from contextlib import suppress
from typing import Any

import pandas as pd
import psutil

from harness.servers import RestartableServer, wait_until

Job = dict[str, Any]
PROGRAM = "churn.jobs.job_process"


def csv_of(table: pd.DataFrame, **options: Any) -> bytes:
    """Return a table as CSV."""
    return str(table.to_csv(index=False, **options)).encode()


def send(client: Any, content: bytes, name: str = "employees.csv", query: str = "", **options: Any) -> Job:
    """Send a file, and return the job."""
    answer = client.post(f"/predict_file{query}", files={"file": (name, content)}, **options)
    assert answer.status_code == 202, answer.text
    job: Job = answer.json()
    assert answer.headers["Location"] == job["addresses"]["self"] == f"/jobs/{job['id']}"
    return job


def awaited(client: Any, job: Job, *states: str) -> Job:
    """Wait until a job is in a state, by default at its end, and return it."""
    seen = dict(job)

    def is_there() -> bool:
        seen.update(client.get(job["addresses"]["self"]).raise_for_status().json())
        return seen["state"] in (states or ("done", "failed", "cancelled"))

    wait_until(is_there, lambda: str(seen))
    return seen


def processes_of(server: RestartableServer) -> list[psutil.Process]:
    """Return the processes that work on jobs."""
    found = []
    for child in server.process.children():
        with suppress(psutil.NoSuchProcess):
            if PROGRAM in child.cmdline():
                found.append(child)
    return found
