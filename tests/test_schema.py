import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import Engine, inspect

from churn.cli.main import main
from churn.core.errors import DatabaseError
from churn.database import schema
from churn.database.engine import is_embedded, make_engine, opened
from churn.database.months import is_partition
from churn.database.tables import metadata
from harness.servers import environment
from tests.support.monthly import log


def test_upgrade_makes_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or not is_partition(name),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_revisions_are_those_that_their_files_are_named_after() -> None:
    # A start reads them off the names, as Alembic's import takes it longer than all else.
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [schema.head()]
    assert {script.revision for script in scripts.walk_revisions()} == schema.REVISIONS


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.check(engine) == schema.head()


def test_downgrade_leaves_nothing_and_upgrade_brings_it_back(engine: Engine) -> None:
    schema.downgrade(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    schema.upgrade(engine)
    assert set(inspect(engine).get_table_names()) >= set(metadata.tables)


def test_an_interrupted_first_upgrade_leaves_no_table_and_is_begun_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(database_url) as engine:
        with monkeypatch.context() as patched:
            patched.setattr(Operations, "create_index", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                schema.upgrade(engine)
        # PostgreSQL, where each revision commits by itself, keeps the place for the revision's name.
        assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
        assert schema.current(engine) is None
        schema.upgrade(engine)
        assert schema.check(engine) == schema.head()


def test_two_starters_at_once_both_find_the_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/churn.db"
    command = [sys.executable, "-m", "churn.cli.main", "db", "upgrade"]
    starters = [
        subprocess.Popen(command, env=environment(DATABASE_URL=url), stdout=subprocess.PIPE) for _ in range(3)
    ]
    outputs = [starter.communicate(timeout=60)[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert all(b"(head)" in output for output in outputs)


def test_a_database_without_schema_is_refused_with_what_mends_it(database_url: str) -> None:
    engine = make_engine(database_url)
    with pytest.raises(DatabaseError, match=r"has no schema yet: run `churn db upgrade`"):
        schema.check(engine)
    engine.dispose()


def test_a_database_behind_head_is_refused_with_what_mends_it(database_url: str) -> None:
    with opened(database_url) as engine:
        schema.upgrade(engine, "0001")
        with pytest.raises(
            DatabaseError, match=r"is at revision 0001, not at head .*: run `churn db upgrade`"
        ):
            schema.check(engine)


@pytest.mark.parametrize("act", [schema.check, schema.upgrade, schema.downgrade])
def test_a_newer_schema_is_left_alone(engine: Engine, act: Callable[[Engine], object]) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(
        DatabaseError, match=r"is at revision 0099, which this churn does not know: .*; update churn, or name"
    ):
        act(engine)
    assert set(inspect(engine).get_table_names()) >= set(metadata.tables)


FOREIGN = {
    "its own users": ["CREATE TABLE users (id INTEGER, name TEXT)", "INSERT INTO users VALUES (1, 'x')"],
    "its own tables": ["CREATE TABLE orders (id INTEGER)"],
    "its own migrations": [
        "CREATE TABLE users (id INTEGER)",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('1a2b3c4d5e6f')",
    ],
    "migrations numbered as ours": [
        "CREATE TABLE users (id INTEGER)",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0002')",
    ],
    "nothing but a revision": [
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0002')",
    ],
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("act", [schema.check, schema.upgrade, schema.downgrade])
def test_a_database_of_another_application_is_left_alone(
    database_url: str, statements: list[str], act: Callable[[Engine], object]
) -> None:
    with opened(database_url) as engine:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        before = contents(engine)
        with pytest.raises(
            DatabaseError, match=r"is of another application .*left as it is: name a database"
        ):
            act(engine)
        assert contents(engine) == before


def contents(engine: Engine) -> object:
    """Return a SQLite file's bytes, or the names of the tables."""
    if engine.dialect.name == "sqlite":
        return Path(str(engine.url.database)).read_bytes()
    return sorted(inspect(engine).get_table_names())


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """Return a SQLite database's file, of many pages."""
    with opened(f"sqlite:///{tmp_path}/whole.db") as engine:
        schema.upgrade(engine)
        with engine.begin() as connection:
            for number in range(200):
                log(connection, datetime.now(UTC), number % 3)
    return (tmp_path / "whole.db").read_bytes()


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half of it": (lambda file: file[: len(file) // 2], "is damaged or cut off"),
    "its beginning": (lambda file: file[:1000], "is damaged or cut off"),
    "a few bytes": (lambda file: file[:5], "is no SQLite database"),
    "something else": (lambda _: b"hello, world\n" * 500, "is no SQLite database"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("act", [schema.check, schema.upgrade, schema.examine])
def test_a_damaged_file_is_refused_and_left_as_it_is(
    tmp_path: Path,
    whole: bytes,
    damage: Callable[[bytes], bytes],
    message: str,
    act: Callable[[Engine], object],
) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(damage(whole))
    refusal = pytest.raises(DatabaseError, match=message + "; it was left as it is: restore it from a backup")
    with opened(f"sqlite:///{path}") as engine, refusal:
        act(engine)
    assert path.read_bytes() == damage(whole)


def test_damage_in_the_middle_is_found_by_looking_through(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "damaged.db"
    middle = len(whole) // 2 // 4096 * 4096
    path.write_bytes(whole[:middle] + b"\xff" * 8192 + whole[middle + 8192 :])
    with opened(f"sqlite:///{path}") as engine, pytest.raises(DatabaseError, match="is damaged or cut off"):
        schema.examine(engine)


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "churn.db").touch()
    with opened(f"sqlite:///{tmp_path}/churn.db") as engine:
        schema.upgrade(engine)
        assert schema.examine(engine) == schema.head()


@pytest.mark.parametrize("act", [schema.check, schema.upgrade])
def test_a_folder_in_the_files_place_is_refused(tmp_path: Path, act: Callable[[Engine], object]) -> None:
    with (
        opened(f"sqlite:///{tmp_path}") as engine,
        pytest.raises(DatabaseError, match="cannot be opened: DATABASE_URL must name a file"),
    ):
        act(engine)


@pytest.mark.parametrize("act", [schema.examine, schema.upgrade])
def test_a_read_only_file_is_refused(tmp_path: Path, whole: bytes, act: Callable[[Engine], object]) -> None:
    # Asked for, since no file is read-only to root.
    with (
        opened(f"sqlite:///file:{tmp_path}/whole.db?mode=ro&uri=true") as engine,
        pytest.raises(
            DatabaseError,
            match="cannot be written: give this user the right to write the file and its folder",
        ),
    ):
        act(engine)


def test_the_command_says_what_it_finds(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    upgraded = CliRunner().invoke(main, ["db", "upgrade"])
    assert upgraded.exit_code == 0, upgraded.output
    assert f"is at revision {schema.head()} (head)\n" in upgraded.output
    assert ("partitions: 4 months, " in upgraded.output) == (not is_embedded(database_url))
    with opened(database_url) as engine, engine.begin() as connection:
        log(connection, datetime(2099, 1, 1, tzinfo=UTC))
    checked = CliRunner().invoke(main, ["db", "check"])
    assert checked.exit_code == 0
    told = "features: 1 rows are in the default partition" in checked.output
    assert told == (not is_embedded(database_url))


def test_the_command_refuses_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "churn.db").write_text("no database " * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/churn.db")
    for command in ("check", "upgrade"):
        refused = CliRunner().invoke(main, ["db", command])
        assert refused.exit_code == 1
        assert refused.stderr.count("\n") == 1
        assert "is no SQLite database; it was left as it is" in refused.stderr


def test_an_unreachable_database_is_named_without_its_password() -> None:
    engine = make_engine("postgresql://churn:s3cret@127.0.0.1:1/churn")
    with pytest.raises(
        DatabaseError, match=r"does not answer .*: start it or correct DATABASE_URL"
    ) as caught:
        schema.check(engine)
    assert "s3cret" not in str(caught.value)
