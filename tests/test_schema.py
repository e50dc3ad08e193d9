import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, inspect

from churn.errors import DatabaseError
from churn.storage import schema
from churn.storage.engine import make_engine, opened
from churn.storage.tables import metadata
from tests.servers import environment


def test_upgrade_makes_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.check(engine) == schema.head()


def test_downgrade_leaves_nothing_and_upgrade_brings_it_back(engine: Engine) -> None:
    schema.downgrade(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    schema.upgrade(engine)
    assert set(inspect(engine).get_table_names()) >= set(metadata.tables)


def test_an_interrupted_first_upgrade_leaves_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(database_url) as engine:
        with monkeypatch.context() as patched:
            patched.setattr(Operations, "create_index", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                schema.upgrade(engine)
        assert inspect(engine).get_table_names() == []
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


def test_a_database_behind_head_is_refused_with_what_mends_it(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(DatabaseError, match=r"is at revision 0000, not at head .*: run `churn db upgrade`"):
        schema.check(engine)


def test_an_unknown_revision_cannot_be_upgraded(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    with pytest.raises(DatabaseError, match=r"cannot be migrated.*later"):
        schema.upgrade(engine)


def test_an_unreachable_database_is_named_without_its_password() -> None:
    engine = make_engine("postgresql://churn:s3cret@127.0.0.1:1/churn")
    with pytest.raises(
        DatabaseError, match=r"does not answer .*: start it or correct DATABASE_URL"
    ) as caught:
        schema.check(engine)
    assert "s3cret" not in str(caught.value)
