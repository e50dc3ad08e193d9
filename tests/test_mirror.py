"""The mirror of the journal: what it has comes back once each, sealed as it was, whatever is killed."""

import gzip
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from churn.core.errors import MirrorError, SettingsError
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import CALL_TABLES, journal_batches
from churn.journal.entry import entry_of
from churn.journal.writer import Writer
from churn.mirror import mirror
from churn.mirror.dataset import Dataset
from churn.mirror.mirror import CLOSED, Mirror
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from churn.records.privacy import erase, purge
from harness.git_repository import Repository
from harness.hub import DONE_BUT_CUT, HANG, OWNER, Hub
from harness.hub_server import hub_at
from harness.servers import PATIENCE, PROJECT, Process, bentoml_serve, environment, home_beside
from tests.support.calls import make_call, scored
from tests.support.company import EXAMPLE

TOKEN = "hf_of_the_tests"
API_TOKEN = "nV6bQx3mTz8RkWd2Lc4H"
NAME = f"{OWNER}/journal"

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_at(tmp_path / "hub", TOKEN) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Engine]:
    """Return a database before a restart."""
    with database(tmp_path / "before" / "churn.db") as engine:
        yield engine


@pytest.fixture
def after(tmp_path: Path) -> Iterator[Engine]:
    """Return a new database after it."""
    with database(tmp_path / "after" / "churn.db") as engine:
        yield engine


def database(file: Path) -> Any:
    url = f"sqlite:///{file}"
    with opened(url) as engine:
        schema.upgrade(engine)
    return opened(url)


def mirror_of(engine: Engine, token: str = TOKEN) -> Mirror:
    return Mirror(engine, Dataset(NAME, token), Path(str(engine.url.database)).parent)


def write(engine: Engine, *employees: str) -> None:
    """Log one call, in a batch of its own."""
    with closing(Writer(engine)) as writer:
        writer.write([entry_of(make_call(*map(scored, employees)))])


def upload(engine: Engine) -> None:
    """Upload everything, as if some time had passed."""
    with closing(mirror_of(engine)) as mirror:
        mirror.upload(datetime.now(UTC) + 2 * CLOSED)


def restore(engine: Engine) -> None:
    with closing(mirror_of(engine)) as mirror:
        mirror.restore()


def rows(file: Path) -> Rows:
    """Return everything that a journal holds, as SQLite has it."""
    with closing(sqlite3.connect(file)) as connection:
        return {
            table.name: connection.execute(f"SELECT * FROM {table.name} ORDER BY 1").fetchall()
            for table in (*CALL_TABLES, journal_batches)
        }


def rows_of(engine: Engine) -> Rows:
    return rows(Path(str(engine.url.database)))


def dataset(hub: Hub) -> Repository:
    return hub.repositories[f"datasets/{NAME}"]


def batch_files(hub: Hub) -> list[str]:
    return sorted(name for name in dataset(hub).files() if name.startswith("journal/"))


def test_what_was_uploaded_comes_back_once_and_sealed_as_it_was(
    hub: Hub, before: Engine, after: Engine
) -> None:
    write(before, "E-1", "E-2")
    write(before)
    upload(before)
    assert dataset(hub).is_private
    restore(after)
    restore(after)
    assert rows_of(after) == rows_of(before)
    report = verify(after)
    assert (report.findings, report.batches) == ([], 2)
    write(after, "E-3")
    assert verify(after).findings == []


def test_each_upload_is_one_commit_of_what_is_new_and_closed(hub: Hub, before: Engine) -> None:
    write(before, "E-1")
    with closing(mirror_of(before)) as mirror:
        mirror.upload(datetime.now(UTC))
        assert batch_files(hub) == []  # a batch with an earlier id could still appear
        for _ in range(2):
            mirror.upload(datetime.now(UTC) + 2 * CLOSED)
            assert len(batch_files(hub)) == 1
        commits = len(dataset(hub).titles())
        write(before, "E-2")
        mirror.upload(datetime.now(UTC) + 2 * CLOSED)
    assert len(batch_files(hub)) == 2
    assert len(dataset(hub).titles()) == commits + 1


def test_many_files_are_written_anew_as_few(
    hub: Hub, before: Engine, after: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MOST_FILES", 2)
    for employee in ("E-1", "E-2", "E-3"):
        write(before, employee)
        upload(before)
    assert len(batch_files(hub)) == 3
    upload(before)
    assert len(batch_files(hub)) == 1
    restore(after)
    assert rows_of(after) == rows_of(before)


def test_large_batches_are_spread_over_files(
    hub: Hub, before: Engine, after: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "ROWS", 8)
    for employee in ("E-1", "E-2", "E-3"):
        write(before, employee)
    upload(before)
    assert len(batch_files(hub)) == 2
    restore(after)
    assert rows_of(after) == rows_of(before)


def test_who_is_erased_is_nowhere_in_the_dataset(hub: Hub, before: Engine, after: Engine) -> None:
    write(before, "E-4711")
    write(before, "E-2")
    upload(before)
    assert b"E-4711" in everything(hub)
    erase(before, ["E-4711"])
    upload(before)
    assert b"E-4711" not in everything(hub)
    restore(after)
    assert rows_of(after) == rows_of(before)
    assert verify(after).findings == []


def everything(hub: Hub) -> bytes:
    """Return the content of every file of every commit, and of what the hub stores beside them."""
    contents = b"".join(gzip.decompress(content) for content in hub.objects.values())
    for revision in dataset(hub).git("rev-list", "main").decode().split():
        for name in dataset(hub).files(revision):
            content = dataset(hub).read(name, revision)
            contents += gzip.decompress(content) if name.endswith(".gz") else content
    return contents


def test_what_is_purged_does_not_come_back(hub: Hub, before: Engine, after: Engine) -> None:
    write(before, "E-1")
    upload(before)
    purge(before, datetime.now(UTC))
    restore(before)  # a restart before the next upload, where the file was kept
    assert b"E-1" not in repr(rows_of(before)).encode()
    upload(before)
    restore(after)
    assert rows_of(after) == rows_of(before)


def test_a_restore_that_is_interrupted_goes_on(hub: Hub, before: Engine, after: Engine) -> None:
    for employee in ("E-1", "E-2", "E-3"):
        write(before, employee)
        upload(before)
    hub.trouble["resolve"] = [None, DONE_BUT_CUT]
    with pytest.raises(MirrorError, match="the hub does not answer for the dataset marie/journal"):
        restore(after)
    hub.calls.clear()
    restore(after)
    assert hub.calls.count("resolve") == 2
    assert rows_of(after) == rows_of(before)
    with closing(mirror_of(after)) as mirror:
        mirror.upload(datetime.now(UTC))
    with database(Path(str(before.url.database)).parents[1] / "third" / "churn.db") as third:
        restore(third)
        assert rows_of(third) == rows_of(before)


def test_what_was_served_before_the_hub_answers_is_kept_beside_what_comes_back(
    hub: Hub, before: Engine, after: Engine
) -> None:
    write(before, "E-1")
    upload(before)
    write(after, "E-2")
    upload(after)
    assert {row[0] for row in rows_of(before)["requests"]} <= {row[0] for row in rows_of(after)["requests"]}
    assert len(rows_of(after)["requests"]) == 2
    assert len(batch_files(hub)) == 1


def test_what_a_service_uploads_while_the_next_one_has_started_comes_back_to_that_too(
    hub: Hub, before: Engine, after: Engine
) -> None:
    write(before, "E-1")
    upload(before)
    with closing(mirror_of(after)) as mirror:
        mirror.restore()
        write(after, "E-3")
        write(before, "E-2")
        upload(before)
        mirror.upload(datetime.now(UTC) + 2 * CLOSED)
    assert len(rows_of(after)["requests"]) == 3
    assert len(batch_files(hub)) == 3


@pytest.mark.parametrize("trouble", [500, DONE_BUT_CUT])
def test_an_upload_whose_outcome_is_not_known_is_done_once(
    hub: Hub, before: Engine, after: Engine, trouble: int
) -> None:
    write(before, "E-0")
    upload(before)
    write(before, "E-1")
    hub.trouble["commit"] = [trouble]
    with pytest.raises(MirrorError):
        upload(before)
    write(before, "E-2")
    upload(before)
    restore(after)
    assert rows_of(after) == rows_of(before)


def test_a_dataset_that_everybody_may_read_gets_nothing(hub: Hub, before: Engine) -> None:
    hub.add(f"datasets/{NAME}").is_private = False
    write(before, "E-1")
    with pytest.raises(MirrorError, match="everybody may read the dataset marie/journal: make it private"):
        upload(before)
    assert batch_files(hub) == []


def test_a_wrong_token_is_a_sentence(hub: Hub, before: Engine) -> None:
    with (
        closing(mirror_of(before, "hf_wrong")) as mirror,
        pytest.raises(MirrorError, match="see that CHURN_HF_TOKEN may write to it") as refusal,
    ):
        mirror.restore()
    assert "hf_wrong" not in str(refusal.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", gzip.compress(b"{}\n"), gzip.compress(b'["users",{}]\n')],
    ids=["empty", "not compressed", "no row", "another table"],
)
def test_a_file_of_something_else_is_refused(hub: Hub, after: Engine, content: bytes) -> None:
    name = f"journal/{'1' * 32}-{'2' * 32}.jsonl.gz"
    hub.add(f"datasets/{NAME}", files={name: content})
    with pytest.raises(MirrorError, match=r"the dataset holds a file without|holds something else than rows"):
        restore(after)


def test_a_mirror_needs_a_token_and_a_database_that_a_restart_takes(
    after: Engine, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mirror.configured(load(), after) is None
    monkeypatch.setenv("CHURN_HF_DATASET", NAME)
    with pytest.raises(SettingsError, match="CHURN_HF_DATASET needs CHURN_HF_TOKEN"):
        mirror.configured(load(), after)
    monkeypatch.setenv("CHURN_HF_TOKEN", TOKEN)
    with opened(postgresql) as engine, pytest.raises(SettingsError, match="CHURN_HF_DATASET is for SQLite"):
        mirror.configured(load(), engine)
    monkeypatch.setenv("CHURN_HF_DATASET", "no name")
    with pytest.raises(SettingsError, match="CHURN_HF_DATASET"):
        load()


def test_a_service_that_is_killed_while_it_uploads_and_while_it_restores_loses_and_doubles_nothing(
    hub: Hub, model: ServedModel, tmp_path: Path
) -> None:
    def env(home: Path) -> dict[str, str]:
        space = {"SPACE_ID": "marie/churn", "CHURN_HF_DATASET": NAME, "CHURN_HF_TOKEN": TOKEN}
        found = {"BENTOML_HOME": str(home), "CHURN_MODEL": model.tag, "API_TOKEN": API_TOKEN}
        return environment(HF_ENDPOINT=hub.url, CHURN_WORKERS="2", **space, **found)

    first, second = (home_beside(registry.home(), tmp_path / name) for name in ("first", "second"))
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    with bentoml_serve(env(first)) as server:
        for _ in range(3):
            httpx.post(f"{server.url}/predict", json=EXAMPLE, headers=headers).raise_for_status()
    known = rows(first / "churn.db")
    assert len(known["prediction_results"]) == 3
    assert len(batch_files(hub)) == 1

    # The next start, on a new disk, is killed while it puts the history back.
    hub.trouble["resolve"] = [HANG]
    command = ["-m", "churn.cli.main", "serve"]
    process = Process([sys.executable, *command], env(second), PROJECT)
    try:
        assert hub.reached.wait(PATIENCE), process.output
    finally:
        process.kill()
        process.stop()
    hub.released.set()

    with bentoml_serve(env(second)) as server:
        listed = httpx.get(f"{server.url}/history", headers=headers).json()
    assert len(listed["predictions"]) == 3
    restored = rows(second / "churn.db")
    assert set(known["prediction_results"]) == set(restored["prediction_results"])
    assert set(known["requests"]) <= set(restored["requests"])
