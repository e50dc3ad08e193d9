"""What many tests need: databases of both kinds, a model store, the served app in process."""

import fcntl
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Before bentoml is imported: it reads both when it is, and the machine's own store is not for tests.
os.environ["BENTOML_HOME"] = tempfile.mkdtemp(prefix="churn-test-bentoml-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="churn-test-metrics-")
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
# Small matrices: threads of their algebra only get in the way of each other, and of other tests. (Told none,
# scikit-learn counts the cores, and warns where it cannot.)
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
# A developer's own .env may name a database that tests must not touch.
os.environ["CHURN_ENV_FILE"] = os.devnull

import bentoml
import httpx
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from churn import service, training
from churn.access import passwords
from churn.cli.source import Source
from churn.cli.train import export_model
from churn.database import schema
from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from churn.model import promotions, registry
from churn.model.registry import ServedModel
from churn.model.sample import write_sample
from harness import postgres
from harness.identities import QUICK as QUICK_ROUNDS
from harness.identities import a_token
from harness.servers import is_setting
from tests.support.plans import QUICK

for name in filter(is_setting, list(os.environ)):
    del os.environ[name]
# Gradio takes seconds of every start, and only its own tests are about it.
os.environ["CHURN_UI"] = "false"

# Who is started in the background ignores interruptions, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair: timing belongs in benchmarks.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Have failures named as they happen: a run takes long."""
    if terminal := config.pluginmanager.get_plugin("terminalreporter"):
        config.pluginmanager.register(Failures(terminal))


# The files that take longest, the longest first: none is left for the end, when the other workers are done.
LONGEST = (
    "test_cli",
    "test_job_process",
    "test_jobs",
    "test_pages_in_browser",
    "test_leaks",
    "test_interrupted_pages",
    "test_first_start",
    "test_readme",
    "test_pages",
    "test_service",
    "test_outage",
    "test_crash",
    "test_file_page",
    "test_hostile_workbooks",
    "test_process",
    "test_training",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files in front; within a file the order stays."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


class Failures:
    """Names each test as it fails."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say what failed, and where: in the test, or before or after it."""
        if report.failed:
            self._terminal.write_line(f"\nFAILED {report.nodeid} ({report.when})", red=True)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Have passwords hashed in no time in this process; tests that are about the time say so."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "ROUNDS", QUICK_ROUNDS)
        yield


@pytest.fixture(scope="session", autouse=True)
def read_certificates() -> Iterator[None]:
    """Have certificates read once, which tests do not need: httpx reads all of them for each call."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


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


@pytest.fixture(scope="session")
def sqlite_at_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a database at head, to be copied: that is quicker than to migrate."""
    path = tmp_path_factory.mktemp("template") / "churn.db"
    with opened(f"sqlite:///{path}") as engine:
        schema.upgrade(engine)
    return path


@pytest.fixture(scope="session")
def postgresql_at_head(postgresql: str) -> Iterator[str]:
    """Return the name of a database at head, likewise."""
    with postgres.database(postgresql) as url:
        with opened(url) as engine:
            schema.upgrade(engine)
        yield str(engine.url.database)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Return an engine on a new database at head, once of each kind."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_at_head"), tmp_path / "churn.db")
        with opened(f"sqlite:///{path}") as engine:
            yield engine
    else:
        template = request.getfixturevalue("postgresql_at_head")
        with (
            postgres.database(request.getfixturevalue("postgresql"), template) as url,
            opened(url) as engine,
        ):
            yield engine


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three small sample extracts."""
    directory = tmp_path_factory.mktemp("sample")
    write_sample(directory, rows=600)
    return directory


@pytest.fixture(scope="session")
def model(sample: Path, common: Path) -> ServedModel:
    """Return a model that was trained on the sample, exported to the tests' store and promoted.

    One worker trains it, the others wait for it and copy it.
    """
    with (common / "model.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared := common / "model").exists():
            data = Source(sample).read(str)
            trained = training.train(data.employees, TECHNOVA, plan=QUICK)
            tag = export_model(trained, TECHNOVA.features, data)
            shutil.copytree(registry.find(tag).path_of("/"), shared / tag.partition(":")[2])
    [version] = shared.iterdir()
    stored = registry.home() / "models" / registry.NAME / version.name
    if not stored.exists():
        shutil.copytree(version, stored)
    promotions.promote(registry.home(), f"{registry.NAME}:{version.name}")
    return registry.load(f"{registry.NAME}:{version.name}", TECHNOVA)


@pytest.fixture
def damaged(model: ServedModel) -> Iterator[str]:
    """Return the tag of a model whose scorecard somebody has touched."""
    folder = Path(registry.find(model.tag).path_of("/"))
    with bentoml.models.create(registry.NAME, module="bentoml.sklearn", metadata={}) as entry:
        for path in folder.glob("*.json"):
            shutil.copy(path, entry.path_of("/"))
        card = Path(entry.path_of(registry.SCORECARD))
        plain = json.loads(card.read_text(encoding="utf-8"))
        plain["effects"]["heure_supplementaires"]["points"]["Oui"] += 0.1
        card.write_text(json.dumps(plain), encoding="utf-8")
    yield str(entry.tag)
    bentoml.models.delete(entry.tag)


@pytest.fixture(scope="session")
def app(model: ServedModel) -> ASGIApp:
    """Return the served app; one for the session, since BentoML registers its metrics once."""
    made: ASGIApp = service.service.to_asgi()
    return made


CALLER = "203.0.113.7"  # from where the service in process is called: the documentation's own network


@dataclass(frozen=True)
class Served:
    """The service in process, and the database behind it."""

    client: TestClient
    engine: Engine
    token: str


@pytest.fixture
def served(
    app: ASGIApp, model: ServedModel, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """Return the service, started on a new database of each kind, with a token's client."""
    with _served(app, model, engine, monkeypatch) as served:
        yield served


@pytest.fixture
def served_strictly(
    app: ASGIApp, model: ServedModel, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """Return the same without a spool: no database, no prediction."""
    monkeypatch.setenv("CHURN_JOURNAL_FALLBACK", "refuse")
    with _served(app, model, engine, monkeypatch) as served:
        yield served


@pytest.fixture
def pseudonymized(
    app: ASGIApp, model: ServedModel, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    """Return the same with employees' ids as a keyed hash."""
    monkeypatch.setenv("CHURN_PSEUDONYMIZE", "true")
    monkeypatch.setenv("CHURN_PSEUDONYM_KEY", "a secret of some length")
    with _served(app, model, engine, monkeypatch) as served:
        yield served


@contextmanager
def _served(
    app: ASGIApp, model: ServedModel, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str = "tests"
) -> Iterator[Served]:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHURN_MODEL", model.tag)
    token = a_token(engine, name, scopes=("predict", "history", "metrics"))
    headers = {"Authorization": f"Bearer {token}"}
    where = (CALLER, 50000)
    with TestClient(app, headers=headers, raise_server_exceptions=False, client=where) as client:
        yield Served(client, engine, token)


@pytest.fixture
def empty_postgresql(postgresql: str) -> Iterator[str]:
    """Return the URL of a new PostgreSQL database without a schema."""
    with postgres.database(postgresql) as url:
        yield url
