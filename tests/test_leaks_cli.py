"""Nothing leaks at the command line: errors tell what was wrong, not what was given."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from churn.cli.main import main
from churn.database import schema
from churn.database.engine import opened
from churn.model.registry import ServedModel
from tests.support import canaries
from tests.support.marks import Marks

SQL = re.compile(r"SELECT |INSERT |UPDATE |\[SQL|Traceback")


@pytest.fixture
def marks() -> Marks:
    return Marks()


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a new database at head, which the environment names."""
    made = f"sqlite:///{tmp_path / 'churn.db'}"
    monkeypatch.setenv("DATABASE_URL", made)
    with opened(made) as engine:
        schema.upgrade(engine)
    return made


def churn(*arguments: object, said: str = "") -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=said)


def told(result: Result) -> bytes:
    """Return all that a command told that failed as it should: with sentences, not with an exception."""
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    assert not SQL.search(result.output), result.output
    return result.output.encode()


@pytest.mark.parametrize("broken", [False, True])
def test_of_passwords(url: str, marks: Marks, monkeypatch: pytest.MonkeyPatch, *, broken: bool) -> None:
    if broken:
        with opened(url) as engine, engine.begin() as connection:
            connection.execute(text("ALTER TABLE users RENAME COLUMN password_hash TO gone"))
    weak, other, long = f"changeme{marks.word()}", marks.word(), marks.word() * 100
    for password in (weak, long, *[other] * broken):
        for name in ("add", "password"):
            assert not marks.find(told(churn("user", name, "marie", said=f"{password}\n{password}\n")))
        monkeypatch.setenv("API_PASSWORD", password)
        assert not marks.find(told(churn("user", "add", "marie")))
        monkeypatch.delenv("API_PASSWORD")
    assert not marks.find(
        told(churn("user", "add", "marie", said=f"{other}\n{weak}\n"))
    )  # not the same twice


def test_of_the_databases_own_password(marks: Marks, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (
        f"postgresql://churn:{marks.word()}@127.0.0.1:1/churn",
        f"postgresql://127.0.0.1:1/churn?user=churn&password={marks.word()}",
        f"mysql://churn:{marks.word()}@127.0.0.1/churn",
        f"churn:{marks.word()}@127.0.0.1/churn",
    ):
        monkeypatch.setenv("DATABASE_URL", address)
        for command in (("db", "check"), ("db", "upgrade"), ("user", "list"), ("audit",)):
            assert not marks.find(told(churn(*command))), command


@pytest.mark.parametrize("broken", [False, True])
def test_of_people(url: str, marks: Marks, *, broken: bool) -> None:
    if broken:
        with opened(url) as engine, engine.begin() as connection:
            connection.execute(text("ALTER TABLE employee_inputs RENAME COLUMN employee_id TO gone"))
    for command in (("show",), ("show", "--json"), ("erase", "--yes")):
        assert not marks.find(told(churn("data", *command, marks.word())))


def test_of_bad_rows(url: str, marks: Marks, model: ServedModel, tmp_path: Path) -> None:
    rows = [
        canaries.employee(employee_id=marks.word(), poste=marks.word(), age=40),
        canaries.employee(age=30),
    ]
    names = sorted(rows[0])
    lines = [",".join(str(row.get(name, "")) for name in names) for row in rows]
    (tmp_path / "team.csv").write_text("\n".join([",".join(names), *lines]), encoding="utf-8")
    scored = churn("score", tmp_path / "team.csv", "-o", tmp_path / "out.csv", "--model", model.tag)
    assert scored.exit_code == 0, scored.output
    assert not marks.find(scored.output.encode())
    assert marks.find((tmp_path / "out.rejects.csv").read_bytes())  # for who asked, to mend them
    strict = churn("score", tmp_path / "team.csv", "-o", tmp_path / "2.csv", "--model", model.tag, "--strict")
    assert not marks.find(told(strict))
