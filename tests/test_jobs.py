"""Files of employees as jobs: sent, checked, scored, journalled and downloaded, through the served app."""

import io
import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from sqlalchemy import select, text

from churn import service
from churn.core.settings import Settings
from churn.database.tables import employee_inputs, prediction_results, requests
from churn.i18n import job_sentences
from churn.jobs import job_folder, job_process, jobs, upload
from churn.jobs.job_folder import JobFolder
from churn.records.integrity import verify
from harness.identities import a_token, bearer
from tests.conftest import Served
from tests.support import ods
from tests.support.jobs import Job, awaited, csv_of, send
from tests.support.tables import employees

DOWNLOADS = ("result", "rejects")
FORMATS = ("csv", "xlsx", "parquet")
DELIMITERS = {"csv": ";", "txt": "|", "tsv": "\t"}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> JobFolder:
    """Return the folder of the jobs: one for each test."""
    monkeypatch.setattr(Settings, "jobs", property(lambda _: tmp_path / "jobs"))
    return JobFolder(tmp_path / "jobs")


def download(served: Served, job: Job, what: str, query: str = "", **headers: str) -> Any:
    answer = served.client.get(job["addresses"][what] + query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def frame(content: bytes, kind: str, **options: Any) -> pd.DataFrame:
    """Return a download as pandas opens it."""
    read: dict[str, Any] = {
        "csv": pd.read_csv,
        "xlsx": partial(pd.read_excel, engine="calamine"),
        "parquet": pd.read_parquet,
    }
    table: pd.DataFrame = read[kind](io.BytesIO(content), **options)
    return table


def with_a_bad_row() -> pd.DataFrame:
    table = employees(30).astype({"poste": object})
    table.loc[4, "poste"] = "Astronaute"
    return table


def test_a_file_is_scored_and_journalled(served: Served) -> None:
    job = awaited(served.client, send(served.client, csv_of(with_a_bad_row())))
    assert (job["state"], job["error"]) == ("done", None)
    assert (job["rows"], job["scored"], job["rejected"], job["progress"]) == (30, 29, 1, 1)
    [problem] = job["problems"]
    assert (problem["line"], problem["column"]) == (6, "poste")
    assert "Astronaute" not in str(job)
    scores = frame(download(served, job, "result", "?lang=en").content, "csv")
    assert job["flagged"] == scores["prediction"].sum()
    with served.engine.connect() as connection:
        stored = connection.execute(
            select(prediction_results.c.id, prediction_results.c.probability, requests.c.caller_name)
            .join(requests, requests.c.id == prediction_results.c.request_id)
            .where(requests.c.route == "/predict_file")
            .order_by(prediction_results.c.id)
        ).all()
    assert [(str(row.id), row.probability) for row in stored] == list(
        zip(scores["prediction_id"], scores["probability"], strict=True)
    )
    assert {row.caller_name for row in stored} == {"tests"}
    assert verify(served.engine).findings == []
    page = served.client.get("/history").json()["predictions"]
    assert page[0]["prediction_id"] == scores["prediction_id"].iloc[-1]


def test_the_same_as_one_by_one(served: Served) -> None:
    table = employees(3)
    job = awaited(served.client, send(served.client, csv_of(table)))
    scores = frame(download(served, job, "result", "?lang=en").content, "csv")
    for row, probability in zip(table.to_dict("records"), scores["probability"], strict=True):
        one = {name: value for name, value in row.items() if not pd.isna(value)}
        assert served.client.post("/predict", json=one).json()["probability"] == pytest.approx(probability)


def in_format(table: pd.DataFrame, kind: str) -> bytes:
    """Return a table as a file of a kind."""
    if kind in DELIMITERS:
        return csv_of(table, sep=DELIMITERS[kind], decimal=",")
    if kind == "ods":
        return ods.content_of(table)
    sent = io.BytesIO()
    if kind == "xlsx":
        table.to_excel(sent, index=False)
    else:
        table.to_parquet(sent, index=False)
    return sent.getvalue()


@pytest.mark.parametrize("kinds", [FORMATS, ("ods", "txt", "tsv")], ids="_".join)
def test_any_format_in_and_any_out(served: Served, kinds: Sequence[str]) -> None:
    table = with_a_bad_row()
    sent = {
        kind: send(served.client, in_format(table, kind), f"Employés 2026.{kind.upper()}") for kind in kinds
    }
    for kind, job in sent.items():
        was_in_and_comes_out_in_any(served, kind, awaited(served.client, job), set(table.columns))


def was_in_and_comes_out_in_any(served: Served, kind: str, job: Job, columns: set[str]) -> None:
    assert (job["state"], job["scored"], job["rejected"]) == ("done", 29, 1), job
    [reading] = job["readings"]
    is_text = kind in DELIMITERS
    assert (reading["file"], reading["format"]) == (
        f"employees.{'csv' if is_text else kind}",
        "csv" if is_text else kind,
    )
    assert reading["delimiter"] == DELIMITERS.get(kind)
    assert (reading["encoding"], reading["rows"]) == ("UTF-8" if is_text else None, 30)
    assert reading["sheet_name"] == ("Sheet1" if kind in ("xlsx", "ods") else None)
    assert {one["field"] for one in reading["columns"]} == columns
    for what in DOWNLOADS:
        contents = {one: download(served, job, what, f"?format={one}&lang=en").content for one in FORMATS}
        tables = [frame(content, one) for one, content in contents.items()]
        assert len(tables[0]) == (29 if what == "result" else 1)
        for other in tables[1:]:
            assert list(other.columns) == list(tables[0].columns)
            for column in ("row", "prediction_id") if what == "result" else ("value", "place"):
                assert other[column].tolist() == tables[0][column].tolist()
            if what == "result":  # a workbook has fewer digits
                assert np.allclose(other["probability"], tables[0]["probability"], rtol=1e-9, atol=0)


@pytest.mark.parametrize("suffix", [".tsv", ".TXT"])
def test_a_text_file_may_have_another_suffix(served: Served, suffix: str) -> None:
    job = awaited(served.client, send(served.client, csv_of(employees(5), sep="\t"), f"people{suffix}"))
    assert (job["state"], job["rows"]) == ("done", 5)


def test_the_three_extracts(served: Served, sample: Path) -> None:
    names = {
        "eval": "EXTRAIT_EVAL.CSV",
        "sirh": "Extrait_SIRH_2026-03 (1).csv",
        "sondage": "extrait_sondage (2).csv",
    }
    files = [
        ("file", (name, (sample / f"extrait_{extract}.csv").read_bytes())) for extract, name in names.items()
    ]
    answer = served.client.post("/predict_file", files=files)
    job = awaited(served.client, answer.json())
    assert (job["state"], job["scored"], job["rejected"]) == ("done", 600, 0), job
    assert len(job["readings"]) == 3
    assert job["notices"]


def test_checked_first_and_scored_when_told(served: Served) -> None:
    job = send(served.client, csv_of(with_a_bad_row()), query="?check=true")
    job = awaited(served.client, job, "checked")
    assert (job["rows"], job["rejected"], job["scored"], job["progress"]) == (30, 1, 0, 1)
    assert job["problem_count"] == len(job["problems"]) == 1
    refused = served.client.get(job["addresses"]["result"])
    assert (refused.status_code, "done" in refused.json()["detail"]) == (409, True)
    told = served.client.post(job["addresses"]["score"])
    assert (told.status_code, told.json()["progress"]) == (200, 0)  # that of the check is over
    assert awaited(served.client, job)["scored"] == 29
    again = served.client.post(job["addresses"]["score"])
    assert (again.status_code, "checked" in again.json()["detail"]) == (409, True)


UNREADABLE = (  # content, name, and what is said of it
    (b"age;poste;nobody\n1;2;3\n", "in.csv", "nobody"),
    (b"\xff\xfe\x00age", "in.csv", "separated by commas"),
    (b"age,poste\n1,\x81\xe9\n", "in.csv", "UTF-8"),
    (b"PAR1", "in.parquet", ".parquet"),
    (b"\xd0\xcf\x11\xe0" + bytes(2000), "in.xlsx", "password"),
    (b"a," * 400_000 + b"\n1\n", "in.csv", "a readable .csv file"),
    (csv_of(employees(0)), "in.csv", "at least one employee"),
)


def test_a_file_that_cannot_be_read_is_a_sentence(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_UNDER_WAY", len(UNREADABLE))
    sent = [send(served.client, content, name) for content, name, _ in UNREADABLE]
    for job, (_, _, expected) in zip(sent, UNREADABLE, strict=True):
        awaited(served.client, job)
        job = served.client.get(job["addresses"]["self"], headers={"Accept-Language": "en"}).json()
        assert job["state"] == "failed", expected
        assert "correct" in job["error"]
        assert any(expected in f"{one['column']}: {one['expected']}" for one in job["problems"])
        assert len(job["problems"]) <= 50
        assert served.client.get(job["addresses"]["result"]).status_code == 409


def test_it_is_said_in_the_language_of_who_asks(served: Served) -> None:
    table = with_a_bad_row()
    table.loc[6, "distance_domicile_travail"] = -3
    job = send(served.client, csv_of(table.drop(columns="niveau_education")), query="?lang=en")
    other = send(served.client, b"PAR1", "in.parquet")
    awaited(served.client, job)
    french, english = (
        served.client.get(job["addresses"]["self"], headers={"Accept-Language": one}).json()
        for one in ("fr", "en")
    )
    assert [one["expected"].split(" ")[0] for one in french["problems"]] == ["Assistant", "un"]
    assert [one["expected"].split(" ")[0] for one in english["problems"]] == ["one", "a"]
    assert french["notices"] == ["absentes, donc inconnues pour tous : niveau_education"]
    assert english["notices"] == ["absent, so unknown for everybody: niveau_education"]
    rejects = frame(download(served, job, "rejects", "?lang=en").content, "csv")
    assert rejects["expected"].tolist() == [one["expected"] for one in english["problems"]]
    failed = awaited(served.client, other)
    assert "lisible" in failed["error"]
    assert failed["problems"][0]["expected"].startswith("un fichier .parquet lisible")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_that_takes_too_much_memory_is_given_up(served: Served) -> None:
    """A file of some kilobytes, whose ids take 12 GB."""
    people = pa.Table.from_pandas(employees(1).drop(columns="employee_id"), preserve_index=False)
    many = people.take(pa.array([0] * 60_000))
    ids = pa.DictionaryArray.from_arrays(pa.array([0] * len(many), pa.int32()), pa.array(["x" * 200_000]))
    sent = io.BytesIO()
    pyarrow.parquet.write_table(
        many.append_column("employee_id", ids), sent, compression="zstd", store_schema=False
    )
    assert len(sent.getvalue()) < 100_000
    job = awaited(served.client, send(served.client, sent.getvalue(), "in.parquet"))
    assert (job["state"], job["error"]) == ("failed", job_sentences.failure("memory", "fr"))


def test_numbers_that_can_be_read_in_two_ways(served: Served) -> None:
    table = employees(5).astype({"revenu_mensuel": object})
    table["revenu_mensuel"] = "2,500"
    content = csv_of(table, sep=";")
    sent = [send(served.client, content, query=query) for query in ("", "?decimal=,", "?decimal=.")]
    failed, *done = (awaited(served.client, job) for job in sent)
    assert (failed["state"], failed["problems"][0]["column"]) == ("failed", "revenu_mensuel")
    assert [job["state"] for job in done] == ["done", "done"]
    page = served.client.get("/history", params={"limit": "10", "details": "true"}).json()
    incomes = [one["record"]["revenu_mensuel"] for one in page["predictions"]]
    assert incomes == [2500.0] * 5 + [2.5] * 5  # the newest first


REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "json": (415, {"json": {}}),
    "no boundary": (415, {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}),
    "compressed": (415, {"files": {"file": b"x"}, "headers": {"Content-Encoding": "gzip"}}),
    "another field": (422, {"files": {"data": ("a.csv", b"x")}}),
    "no file": (422, {"data": {"file": "x"}, "files": {"other": b""}}),
    "no end": (
        422,
        {
            "content": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx',
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
    ),
    "no form": (
        422,
        {"content": b"age,poste", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
    ),
    "empty": (422, {"files": {"file": ("a.csv", b"")}}),
    "old excel": (422, {"files": {"file": ("a.xls", b"x")}}),
    "macros": (422, {"files": {"file": ("a.xlsm", b"x")}}),
    "a path": (422, {"files": {"file": ("../../a.csv/..", b"x")}}),
    "two files": (422, {"files": [("file", ("a.csv", b"x")), ("file", ("b.csv", b"x"))]}),
    "many files": (422, {"files": [("file", (f"{n}.csv", b"x")) for n in range(100)]}),
    "long heads": (422, {"files": {"file": ("a" * 70_000 + ".csv", b"x")}}),
    "a parameter": (422, {"files": {"file": ("a.csv", b"x")}, "params": {"check": "perhaps"}}),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_of_ours_is_refused_and_leaves_nothing(
    served: Served, folder: JobFolder, kind: str
) -> None:
    status, call = REFUSED[kind]
    for language in ("fr", "en"):
        headers = {**call.get("headers", {}), "Accept-Language": language}
        answer = served.client.post("/predict_file", **{**call, "headers": headers})
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]
        assert left(folder) == set()


def left(folder: JobFolder) -> set[str]:
    return {path.name for path in folder.root.glob("*") if not path.name.startswith(".")}


def test_too_many_bytes(served: Served, folder: JobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_BYTES", 10_000)
    answer = served.client.post("/predict_file", files={"file": ("a.csv", bytes(1_000_000))})
    assert answer.status_code == 413
    assert left(folder) == set()


@pytest.fixture
def held(served: Served, folder: JobFolder) -> Iterator[None]:
    """Let nobody work on jobs meanwhile."""
    folder.make()
    with folder.working() as turn:
        assert turn is not None
        yield


@pytest.mark.usefixtures("held")
def test_one_caller_has_so_many_jobs_and_no_more(served: Served) -> None:
    first, *_ = [send(served.client, b"age\n1\n") for _ in range(jobs.MAX_UNDER_WAY)]
    answer = served.client.post("/predict_file", files={"file": ("a.csv", b"age\n1\n")})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    other = {"Authorization": bearer(a_token(served.engine, "another", scopes=["predict"]))}
    send(served.client, b"age\n1\n", headers=other)
    served.client.post(first["addresses"]["cancel"])
    send(served.client, b"age\n1\n")


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("limit", ["MAX_ALL", "MAX_ALL_KEPT", "MIN_FREE"])
def test_where_there_is_no_room(served: Served, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(jobs, limit, 0 if limit.startswith("MAX") else 2**62)
    answer = served.client.post("/predict_file", files={"file": ("a.csv", b"age\n1\n")})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "place" in answer.json()["detail"]


@pytest.mark.usefixtures("held")
def test_only_who_made_a_job_sees_it(served: Served) -> None:
    job = send(served.client, b"age\n1\n")
    strangers = {"Authorization": bearer(a_token(served.engine, "another", scopes=["admin"]))}
    for what, address in job["addresses"].items():
        method = "POST" if what in ("score", "cancel") else "GET"
        answers = [
            served.client.request(method, address, headers=strangers),
            served.client.request(method, address.replace(job["id"], str(UUID(int=7))), headers=strangers),
        ]
        assert [one.status_code for one in answers] == [404, 404], what
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert served.client.get(job["addresses"]["self"]).json()["state"] == "waiting"


@pytest.mark.usefixtures("held")
def test_a_job_that_waits_is_cancelled_at_once(served: Served) -> None:
    job = send(served.client, b"age\n1\n")
    assert served.client.post(job["addresses"]["cancel"]).json()["state"] == "cancelled"
    assert served.client.post(job["addresses"]["score"]).status_code == 409
    assert served.client.get(job["addresses"]["result"]).status_code == 409


@pytest.mark.usefixtures("held")
def test_after_an_hour_it_is_gone_and_so_is_half_an_upload(
    served: Served, folder: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = send(served.client, b"age\n1\n")
    half = folder.root / f"{UUID(int=7)}.part"
    half.mkdir()
    old = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    os.utime(half, (old, old))
    folder.sweep()
    assert left(folder) == {job["id"]}
    expires = datetime.fromisoformat(served.client.get(job["addresses"]["self"]).json()["expires_at"])
    assert timedelta(minutes=59) < expires - datetime.now(UTC) <= timedelta(hours=1)
    with folder.changing(UUID(job["id"])) as changed:
        changed.changed_at -= timedelta(seconds=job_folder.KEPT)
    service.worker.job_runner.jobs.folder.sweep()
    assert left(folder) == set()
    assert served.client.get(job["addresses"]["self"]).status_code == 404


def test_what_ends_its_process_again_and_again_is_given_up(served: Served, folder: JobFolder) -> None:
    folder.make()
    with folder.working():
        job = send(served.client, csv_of(employees(5)))
        with folder.changing(UUID(job["id"])) as changed:
            changed.attempts = job_process.ATTEMPTS
    ended = awaited(served.client, job)
    assert (ended["state"], "interrompu" in ended["error"]) == ("failed", True)


@pytest.mark.usefixtures("held")
def test_files_are_for_their_owner_alone(served: Served, folder: JobFolder) -> None:
    send(served.client, b"age\n1\n", "../secret name.csv")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder.root, *folder.root.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert not any("secret" in str(path) for path in modes)


def test_downloads_are_private_and_for_their_reader(served: Served, folder: JobFolder) -> None:
    table = employees(4).astype({"employee_id": object})
    table["employee_id"] = ["=1+1", "@SUM(A1)", "-2", "plain"]
    job = awaited(served.client, send(served.client, csv_of(table)))
    french = download(served, job, "result")
    assert french.content.startswith("\ufeffemployee_id;row;probability;".encode())
    assert french.headers["content-type"] == "text/csv; charset=utf-8"
    name = f'attachment; filename="scores-{job["id"][-8:]}.csv"'
    assert french.headers["content-disposition"] == name
    assert french.headers["cache-control"] == "no-store"
    english = download(served, job, "result", **{"Accept-Language": "en"})
    assert english.content.startswith(b"employee_id,row,probability,")
    one = frame(french.content, "csv", sep=";", decimal=",")
    two = frame(english.content, "csv")
    assert one["probability"].tolist() == two["probability"].tolist()
    workbook = frame(download(served, job, "result", "?format=xlsx").content, "xlsx")
    for safe in (one, two, workbook):
        assert safe["employee_id"].tolist() == ["'=1+1", "'@SUM(A1)", "'-2", "plain"]
    plain = frame(download(served, job, "result", "?format=parquet").content, "parquet")
    assert plain["employee_id"].tolist() == ["=1+1", "@SUM(A1)", "-2", "plain"]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.root.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert not (folder.root / job["id"] / "upload").exists()
    for query in ("?format=pdf", "?lang=de", "?who=me"):
        assert served.client.get(job["addresses"]["result"] + query).status_code == 422


def test_who_downloads_is_journalled_before_anything_is_sent(served_strictly: Served) -> None:
    served = served_strictly
    job = awaited(served.client, send(served.client, csv_of(employees(5))))
    download(served, job, "result", "?format=xlsx")
    query = select(requests.c.caller_name).where(requests.c.route == "/jobs/{id}/result")
    with served.engine.begin() as connection:
        assert connection.execute(query).scalars().all() == ["tests"]
        connection.execute(text("ALTER TABLE requests RENAME TO gone"))
    try:
        refused = served.client.get(job["addresses"]["result"])
    finally:
        with served.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO requests"))
    assert refused.status_code == 503
    assert set(refused.json()) == {"detail", "request_id"}


def test_ids_are_hidden_in_the_journal_where_they_are_to_be(pseudonymized: Served) -> None:
    job = awaited(pseudonymized.client, send(pseudonymized.client, csv_of(employees(5))))
    assert job["state"] == "done"
    with pseudonymized.engine.connect() as connection:
        ids = connection.execute(select(employee_inputs.c.employee_id)).scalars().all()
    assert len(ids) == 5
    assert all(str(one).startswith("p:") for one in ids)
