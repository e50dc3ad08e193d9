"""What many tests need: databases of both kinds, a model store, the served app in process."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before bentoml is imported: it reads both when it is, and the machine's own store is not for tests.
os.environ["BENTOML_HOME"] = tempfile.mkdtemp(prefix="churn-test-bentoml-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="churn-test-metrics-")
os.environ["BENTOML_DO_NOT_TRACK"] = "1"

import pytest
from sqlalchemy import Engine

from churn.storage import schema
from churn.storage.engine import make_engine
from tests import postgres

for name in (
    "DATABASE_URL",
    "API_USERNAME",
    "API_PASSWORD",
    "API_TOKEN",
    "PORT",
    "CHURN_MODEL",
    "CHURN_HOST",
):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Return the URL of a PostgreSQL server; it is a failure, not a skip, if there is none."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a new database without a schema, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'churn.db'}"
    else:
        with postgres.database(request.getfixturevalue("postgresql")) as url:
            yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Return an engine on a new database at head."""
    engine = make_engine(database_url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()
