import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from churn.core.errors import DatabaseError, SettingsError
from churn.database import engine as engines
from churn.database import schema
from churn.database.embedded import WAL_KEPT
from churn.database.engine import is_embedded, make_engine, name_of, opened, parse_url
from harness import postgres


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_means_psycopg2(scheme: str) -> None:
    assert (
        parse_url(f"{scheme}://u:p@h/d").render_as_string(hide_password=False)
        == "postgresql+psycopg2://u:p@h/d"
    )


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:s3cret@h/d",
        "postgresql+asyncpg://u:s3cret@h/d",
        "sqlite+aiosqlite:///churn.db",
        "sqlite://u:s3cret@h/churn.db",
        "sqlite://",
        "sqlite:///:memory:",
        "not a url s3cret",
        "postgresql:/u:s3cret@h/d",
        "postgresql://u:p@:s3cret@h/d",
    ],
)
def test_other_databases_are_refused_by_name_but_not_by_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"expected sqlite:///path") as caught:
        make_engine(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@s3cret@h/d",
        "postgresql://u:p@s3cret/more@h/d",
        "postgresql://u:p@s3cret?more@h/d",
        "postgresql://a/u:s3cret@h/d",
    ],
)
def test_a_password_that_would_be_taken_for_something_else_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL has an @ that separates nothing: ") as caught:
        make_engine(url)
    assert "s3cret" not in str(caught.value)


def why_not(url: str) -> str:
    """Return what is said of a database that cannot be used; neither it nor the engine shows a password."""
    with opened(url) as engine, pytest.raises(DatabaseError) as caught:
        schema.check(engine)
    said = str(caught.value)
    assert "s3cret" not in f"{said} {name_of(engine)} {engine!r}"
    return said


@pytest.mark.parametrize("password", ["s3cret-word", "s3cret%40%3A%2F%25", "s3cret%", "s3cret?#/:&x"])
def test_nobody_is_told_the_password_of_a_database_out_of_reach(password: str) -> None:
    assert "Connection refused" in why_not(f"postgresql://churn:{password}@127.0.0.1:1/churn")
    assert "could not translate host name" in why_not(f"postgresql://churn:{password}@no.invalid/churn")


def test_nobody_is_told_a_password_among_the_parameters() -> None:
    said = why_not("postgresql://127.0.0.1:1/churn?user=churn&password=s3cret&sslpassword=s3cret")
    assert "the database postgresql+psycopg2://127.0.0.1:1/churn does not answer" in said


def test_a_password_with_every_sign_is_the_right_one_and_a_wrong_one_is_not_repeated() -> None:
    password = "s3cret @:/%?#&=+'\"é"
    with postgres.own_server() as own:
        with opened(own.url) as engine, engine.begin() as connection:
            hba = Path(str(connection.exec_driver_sql("SHOW hba_file").scalar()))
            quoted = password.replace("'", "''").replace("%", "%%")
            connection.exec_driver_sql(f"CREATE ROLE churn LOGIN SUPERUSER PASSWORD '{quoted}'")
        hba.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        own.stop("fast")
        own.start()
        right = make_url(own.url).set(username="churn", password=password)
        with opened(right.render_as_string(hide_password=False)) as engine:
            schema.upgrade(engine)
            assert schema.check(engine) == schema.head()
        wrong = right.set(password=f"{password}!").render_as_string(hide_password=False)
        assert 'password authentication failed for user "churn"' in why_not(wrong)


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/new/folder/churn.db") as engine:
        schema.upgrade(engine)
    with opened(f"sqlite:///{tmp_path}/new/folder/churn.db") as engine, engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA journal_size_limit")).scalar() == WAL_KEPT


def test_only_its_owner_reads_a_new_sqlite_database(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/new/churn.db") as engine:
        schema.upgrade(engine)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            found = [tmp_path / "new", *(tmp_path / "new").iterdir()]
            assert {path.name for path in found} >= {"new", "churn.db", "churn.db-wal", "churn.db-shm"}
            assert not [path for path in found if path.stat().st_mode & 0o077]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"the folder .*/file/data .*cannot be made \(Not a directory\)"):
        make_engine(f"sqlite:///{tmp_path}/file/data/churn.db")


def shown(url: str, *names: str) -> list[str]:
    with opened(url) as engine, engine.connect() as connection:
        return [str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in names]


def test_a_session_of_postgresql_waits_for_nothing_long(postgresql: str) -> None:
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    assert shown(postgresql, *limits) == ["10s", "5s", "1min"]
    assert shown(postgresql, "timezone", "application_name", "standard_conforming_strings") == [
        "UTC", "churn", "on"
    ]  # fmt: skip


def test_what_the_url_says_is_added_to_ours_and_wins(postgresql: str) -> None:
    options = "-c statement_timeout=3s -c work_mem=8MB"
    url = make_url(postgresql).update_query_dict({"options": options, "application_name": "hr"})
    names = ("statement_timeout", "work_mem", "lock_timeout", "application_name")
    assert shown(url.render_as_string(hide_password=False), *names) == ["3s", "8MB", "5s", "hr"]


def test_a_parameter_that_nobody_knows_is_named_in_one_line(postgresql: str) -> None:
    url = make_url(postgresql).update_query_dict(
        {"pgbouncer": "s3cret", "schema": "s3cret", "sslmode": "prefer"}
    )
    with pytest.raises(
        SettingsError, match=r"unknown parameters \(pgbouncer, schema\): take them out"
    ) as caught:
        make_engine(url.render_as_string(hide_password=False))
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_so_is_one_that_sqlite_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"unknown parameters \(sslmode\): take them out"):
        make_engine(f"sqlite:///{tmp_path}/churn.db?sslmode=s3cret&timeout=3")


def test_who_finds_no_connection_free_is_told(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MAX_OVERFLOW", 0)
    monkeypatch.setattr(engines, "POOL_TIMEOUT", 0.01)
    engine = make_engine(postgresql, pool_size=1)
    with (
        engine.connect(),
        pytest.raises(DatabaseError, match="has no connection free for this process"),
        schema.explained(engine),
    ):
        engine.connect()
    engine.dispose()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[str]:
    """Return the URL of a PostgreSQL with TLS, whose certificate is tmp_path's `ours.crt`."""
    if shutil.which("openssl") is None:
        assert not os.environ.get("CI"), "CI has to install openssl"
        pytest.skip("needs openssl to make certificates")
    for name in ("ours", "other"):
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
        files = ["-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.crt")]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, *files]
        subprocess.run(command, check=True, capture_output=True)
    with postgres.own_server() as own:
        admin = create_engine(parse_url(own.url), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            if not connection.exec_driver_sql("SHOW ssl_library").scalar():
                assert not (os.environ.get("CI") and postgres.binaries()), "CI's PostgreSQL has to have TLS"
                pytest.skip("this PostgreSQL was built without TLS, as the one from PyPI is")
            data = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
            for kind in ("crt", "key"):
                shutil.copy(tmp_path / f"ours.{kind}", data / f"server.{kind}")
                (data / f"server.{kind}").chmod(0o600)
                shutil.chown(data / f"server.{kind}", data.stat().st_uid, data.stat().st_gid)
            connection.exec_driver_sql("ALTER SYSTEM SET ssl = on")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        admin.dispose()
        yield own.url.replace("127.0.0.1", "localhost")


def test_tls_is_asked_for_in_the_url(tls: str, tmp_path: Path) -> None:
    def url(certificate: str) -> str:
        query = {"sslmode": "verify-full", "sslrootcert": str(tmp_path / certificate)}
        return make_url(tls).update_query_dict(query).render_as_string(hide_password=False)

    with opened(url("ours.crt")) as engine, engine.connect() as connection:
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.exec_driver_sql(query).scalar() is True
    with opened(url("other.crt")) as engine, pytest.raises(DatabaseError, match="certificate verify failed"):
        schema.check(engine)


def test_tls_that_the_server_lacks_is_not_done_without() -> None:
    with postgres.own_server() as own:
        url = make_url(own.url).update_query_dict({"sslmode": "require"})
        with (
            opened(url.render_as_string(hide_password=False)) as engine,
            pytest.raises(DatabaseError, match="server does not support SSL, but SSL was required"),
        ):
            schema.check(engine)


def test_only_sqlite_is_embedded() -> None:
    assert is_embedded("sqlite:////tmp/churn.db")
    assert not is_embedded("postgresql://h/d")
