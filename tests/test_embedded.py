"""The SQLite file, replaced or removed under the service: never written to unseen."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from churn.core.errors import DatabaseError
from churn.database.engine import opened
from churn.database.tables import requests
from churn.journal import store
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness.servers import home_beside, wait_until
from tests.conftest import Served, _served
from tests.support.calls import count
from tests.support.company import EXAMPLE


@pytest.fixture
def file(sqlite_at_head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database that is to be served, with the spool beside it."""
    monkeypatch.setattr(store, "RETRY", 0.01)
    monkeypatch.setenv("BENTOML_HOME", str(home_beside(registry.home(), tmp_path)))
    return Path(shutil.copy(sqlite_at_head, tmp_path / "churn.db"))


def predict(served: Served, employee: str) -> int:
    return served.client.post("/predict", json={**EXAMPLE, "employee_id": employee}).status_code


def replace(file: Path) -> None:
    shutil.copy(file.parent / "other.db", file.parent / "new.db")
    (file.parent / "new.db").replace(file)


@pytest.mark.parametrize("act", [replace, Path.unlink])
def test_a_file_replaced_or_removed_is_away_until_it_is_back(
    act: Callable[[Path], None], file: Path, app: ASGIApp, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copy(file, file.parent / "other.db"))
    with opened(f"sqlite:///{file}") as engine, _served(app, model, engine, monkeypatch) as served:
        for employee in ("E-1", "E-2"):  # the second by a connection that is kept
            assert predict(served, employee) == 200
        kept = file.parent / "kept.db"
        kept.hardlink_to(file)
        act(file)
        assert predict(served, "E-3") == 200
        # By a process of its own, which opens the database only now.
        assert served.client.post("/predict_batch", json=[EXAMPLE] * 100).status_code == 200
        said = served.client.get("/readyz").json()
        assert (said["database"], said["spool"]["records"]) == ("away", 2)
        assert served.client.get("/history").status_code == 503
        with (
            pytest.raises(DatabaseError, match=r"was replaced or removed while it was open"),
            engine.begin() as own,
        ):
            own.execute(select(requests.c.id))
        if act is replace:
            assert file.read_bytes() == other.read_bytes()
        else:
            assert not file.exists()
        kept.replace(file)
        wait_until(lambda: served.client.get("/readyz").json()["spool"]["records"] == 0)
        assert predict(served, "E-4") == 200
    with opened(f"sqlite:///{file}") as engine:
        assert count(engine)["prediction_results"] == 4 + 100
        assert verify(engine).findings == []


def test_so_is_one_whose_log_is_removed(
    file: Path, app: ASGIApp, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(f"sqlite:///{file}") as engine, _served(app, model, engine, monkeypatch) as served:
        for employee in ("E-1", "E-2", "E-3"):
            assert predict(served, employee) == 200
        Path(f"{file}-wal").unlink()
        assert predict(served, "E-4") == 200
        assert served.client.get("/readyz").json()["database"] == "away"
        assert not Path(f"{file}-wal").exists()
