"""`churn db backup` and `restore`: all of the database, under load, and never over another by mistake."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select, update

from churn.cli.main import main
from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import prediction_results, requests
from churn.journal.entry import entry_of
from churn.journal.writer import Writer
from churn.records.integrity import verify
from harness import postgres
from tests.conftest import Served
from tests.support.calls import make_call, scored
from tests.support.company import EXAMPLE

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return what runs `churn db` on a database."""

    def run(url: str, *arguments: object) -> tuple[int, str]:
        monkeypatch.setenv("DATABASE_URL", url)
        result = CliRunner().invoke(main, ["db", *map(str, arguments)])
        return result.exit_code, result.output

    return run


@pytest.fixture(autouse=True)
def _programs() -> None:
    if shutil.which("pg_dump") is None:
        assert not os.environ.get("CI"), "CI has to install PostgreSQL's client programs"
        pytest.skip("needs pg_dump and pg_restore (on Debian: postgresql-client)")


@pytest.fixture
def elsewhere(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a database of the engine's kind that is not there yet, or is empty."""
    if engine.dialect.name == "sqlite":
        yield f"sqlite:///{tmp_path}/elsewhere/churn.db"
    else:
        with postgres.database(request.getfixturevalue("postgresql")) as url:
            yield url


def text_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def predictions(url: str) -> set[str]:
    with opened(url) as engine, engine.connect() as connection:
        return {str(key) for key in connection.execute(select(prediction_results.c.id)).scalars()}


def test_a_copy_under_load_has_all_that_was_answered_before_it(
    served: Served, elsewhere: str, command: Command, tmp_path: Path
) -> None:
    file, over = tmp_path / "copy", threading.Event()

    def predict() -> str:
        answer = served.client.post("/predict", json=EXAMPLE)
        assert answer.status_code == 200
        return str(answer.json()["prediction_id"])

    def load() -> int:
        made = 0
        while not over.is_set():
            predict()
            made += 1
        return made

    before = {predict() for _ in range(3)}
    with ThreadPoolExecutor(1) as pool:
        meanwhile = pool.submit(load)
        code, output = command(text_of(served.engine), "backup", file)
        over.set()
        assert (code, meanwhile.result() > 0) == (0, True), output
    assert file.stat().st_mode & 0o777 == 0o600
    assert "is already there" in command(text_of(served.engine), "backup", file)[1]
    code, output = command(elsewhere, "restore", file)
    assert (code, "(head)" in output) == (0, True), output
    assert before <= predictions(elsewhere) <= predictions(text_of(served.engine))
    with opened(elsewhere) as engine:
        assert verify(engine).findings == []
        with engine.connect() as connection:
            acts = select(requests.c.route).where(requests.c.method == "CLI").order_by(requests.c.id)
            assert connection.execute(acts).scalars().all()[-2:] == ["churn db backup", "churn db restore"]


def test_a_copy_that_takes_too_long_is_given_up_and_leaves_nothing(
    engine: Engine, command: Command, tmp_path: Path
) -> None:
    Writer(engine).write([entry_of(make_call(*[scored() for _ in range(2000)]))])
    before = sorted(tmp_path.iterdir())
    code, output = command(text_of(engine), "backup", tmp_path / "copy", "--within", 0.001)
    assert (code, "the copy was not whole, and is removed" in output) == (1, True), output
    assert [path for path in sorted(tmp_path.iterdir()) if path not in before and "copy" in path.name] == []


def test_a_database_is_replaced_only_where_that_is_said(
    engine: Engine, command: Command, tmp_path: Path
) -> None:
    url, file = text_of(engine), tmp_path / "copy"
    writer = Writer(engine)
    writer.write([entry_of(make_call(scored()))])
    kept = predictions(url)
    assert command(url, "backup", file)[0] == 0
    writer.write([entry_of(make_call(scored()))])
    writer.close()
    code, output = command(url, "restore", file)
    assert (code, " already: " in output, len(predictions(url))) == (1, True, 2), output
    if engine.dialect.name == "postgresql":  # an empty one has to be made
        assert command(url, "restore", file, "--over") == (code, output)
        return
    with engine.connect():
        code, output = command(url, "restore", file, "--over")
        assert (code, "is in use: stop the service first" in output) == (1, True), output
    assert len(predictions(url)) == 2
    engine.dispose()
    code, output = command(url, "restore", file, "--over")
    assert (code, predictions(url)) == (0, kept), output
    [aside] = tmp_path.glob("churn.db.2*")
    assert len(predictions(f"sqlite:///{aside}")) == 2


def test_a_copy_that_was_changed_is_refused(
    engine: Engine, elsewhere: str, command: Command, tmp_path: Path
) -> None:
    Writer(engine).write([entry_of(make_call(scored()))])
    with engine.begin() as connection:
        connection.execute(update(prediction_results).values(probability=0.9))
    assert command(text_of(engine), "backup", tmp_path / "copy")[0] == 0
    code, output = command(elsewhere, "restore", tmp_path / "copy")
    assert (code, "is not as it was written (prediction_results" in output) == (1, True), output
    if engine.dialect.name == "sqlite":
        assert not (tmp_path / "elsewhere" / "churn.db").exists()
        code, output = command(elsewhere, "restore", tmp_path / "copy", "--unverified")
        assert code == 0, output


def test_what_is_no_copy_is_refused(engine: Engine, elsewhere: str, command: Command, tmp_path: Path) -> None:
    assert command(text_of(engine), "backup", tmp_path / "copy")[0] == 0
    whole = (tmp_path / "copy").read_bytes()
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE theirs (id)")
    other.close()
    contents = [b"", b"a letter", whole[: len(whole) // 2], (tmp_path / "other.db").read_bytes()]
    for number, content in enumerate(contents):
        file = tmp_path / f"{number}.copy"
        file.write_bytes(content)
        code, output = command(elsewhere, "restore", file)
        assert (code, output.startswith("churn: "), output.count("\n")) == (1, True, 1), output
    with opened(elsewhere) as there:
        assert schema.current(there) is None


def test_an_older_copy_is_put_back_to_be_migrated(
    command: Command, sqlite_at_head: Path, tmp_path: Path
) -> None:
    older = f"sqlite:///{shutil.copy(sqlite_at_head, tmp_path / 'older')}"
    with opened(older) as engine:
        schema.downgrade(engine, "0002")
    url = f"sqlite:///{tmp_path}/churn.db"
    code, output = command(url, "restore", tmp_path / "older")
    assert (code, "is at revision 0002: run `churn db upgrade`" in output) == (0, True), output
    assert command(url, "upgrade")[0] == 0
