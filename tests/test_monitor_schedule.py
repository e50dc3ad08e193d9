"""The scheduled look of the monitors: one process of many does it, and a killed one is succeeded."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, update

from churn.core.errors import ChurnError
from churn.core.settings import load
from churn.database.engine import opened
from churn.database.lease import Lease
from churn.database.schema import upgrade
from churn.database.tables import api_responses, leases, requests
from churn.model import registry
from churn.model.registry import ServedModel
from churn.monitoring.monitor_schedule import ACTION
from harness import postgres
from harness.identities import a_token, bearer
from harness.servers import RestartableServer, environment, home_beside, wait_until

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LASTS, EVERY = timedelta(minutes=10), timedelta(days=7)


def finish(lease: Lease, now: datetime) -> None:
    with lease.engine.begin() as connection:
        lease.finish(now, connection)


class TestLease:
    def test_one_of_many_has_it(self, engine: Engine) -> None:
        first, second = (Lease(engine, "monitor", LASTS) for _ in range(2))
        assert first.take(NOON, EVERY)
        assert not second.take(NOON, EVERY)
        assert not first.take(NOON, EVERY)

    def test_whoever_says_nothing_for_its_time_is_succeeded(self, engine: Engine) -> None:
        first, second = (Lease(engine, "monitor", LASTS) for _ in range(2))
        assert first.take(NOON, EVERY)
        assert not second.take(NOON + LASTS - timedelta(seconds=1), EVERY)
        assert second.take(NOON + LASTS, EVERY)
        with pytest.raises(ChurnError, match="another process's"):
            finish(first, NOON + LASTS)
        finish(second, NOON + LASTS)

    def test_what_is_done_is_done_again_when_it_is_time(self, engine: Engine) -> None:
        first, second = (Lease(engine, "monitor", LASTS) for _ in range(2))
        assert first.take(NOON, EVERY)
        finish(first, NOON)
        assert not second.take(NOON + EVERY - timedelta(seconds=1), EVERY)
        assert second.take(NOON + EVERY, EVERY)


@pytest.mark.parametrize("text", ["soon", "0h", "7", "1w", "-1d"])
def test_another_duration_is_refused_with_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CHURN_MONITOR_EVERY", text)
    with pytest.raises(Exception, match=r"CHURN_MONITOR_EVERY.*30m, 12h, 7d"):
        load()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with its tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shared.db'}"
    else:
        with postgres.database(request.getfixturevalue("postgresql")) as url:
            yield url


def server(url: str, folder: Path, model: ServedModel) -> RestartableServer:
    folder.mkdir()
    home = home_beside(registry.home(), folder)
    return RestartableServer(
        environment(
            BENTOML_HOME=str(home),
            CHURN_ENV_FILE=os.devnull,
            CHURN_MODEL=model.tag,
            CHURN_MONITOR_EVERY="1d",
            CHURN_WORKERS="2",
            DATABASE_URL=url,
        )
    )


def looks(engine: Engine) -> list[dict[str, Any]]:
    """Return what the journal has of looks."""
    query = (
        select(api_responses.c.body)
        .join(requests, requests.c.id == api_responses.c.request_id)
        .where(requests.c.route == ACTION)
    )
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def is_held(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.execute(select(leases.c.holder)).scalar_one() is not None


def told(url: str, authorization: str) -> bool:
    """Return whether a server has the figures of a look."""
    text = httpx.get(f"{url}/metrics", headers={"Authorization": authorization}, timeout=60).text
    return "churn_oversight_looked_at_seconds{" in text


def test_of_two_servers_one_looks(url: str, model: ServedModel, tmp_path: Path) -> None:
    with ExitStack() as stack:
        engine = stack.enter_context(opened(url))
        upgrade(engine)
        one, other = (stack.enter_context(server(url, tmp_path / name, model)) for name in "ab")
        wait_until(lambda: bool(looks(engine)), lambda: one.process.output + other.process.output)
        [look] = looks(engine)
        assert look == {
            "model": model.tag,
            "drift": "empty",
            "outcomes": "leavers",
            "oversight": "empty",
        }
        token = bearer(a_token(engine, scopes=["metrics"]))
        assert [told(one.url, token), told(other.url, token)].count(True) == 1
        assert not is_held(engine)


def test_a_killed_holder_is_succeeded(url: str, model: ServedModel, tmp_path: Path) -> None:
    with opened(url) as engine:
        upgrade(engine)
        with server(url, tmp_path / "a", model) as one:
            wait_until(lambda: is_held(engine), lambda: one.process.output)
            one.kill()
            assert looks(engine) == []
            assert is_held(engine)
        with server(url, tmp_path / "b", model) as other:
            # Its time goes by.
            with engine.begin() as connection:
                connection.execute(update(leases).values(held_until=NOON - timedelta(days=365)))
            wait_until(lambda: bool(looks(engine)), lambda: other.process.output)
            assert len(looks(engine)) == 1
