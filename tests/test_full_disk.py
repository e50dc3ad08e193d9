"""A full disk under a real `bentoml serve`: refused, and said to be; nobody dies of it, nothing is lost."""

from pathlib import Path

import httpx
import pytest

from churn.model import registry
from churn.model.registry import ServedModel
from harness.servers import RestartableServer, environment, home_beside
from tests.support.company import EXAMPLE
from tests.support.disks import fill, small_disk

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder that has no model yet."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def predictions(client: httpx.Client) -> int:
    return len(client.get("/history?limit=200").json()["predictions"])


def test_a_full_disk_ends_no_worker_and_is_said(model: ServedModel, home: Path, tmp_path: Path) -> None:
    settings = {"BENTOML_HOME": str(home), "CHURN_MODEL": model.tag, "API_TOKEN": TOKEN}
    disk = small_disk(home, "16m", home_beside(registry.home(), tmp_path))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        RestartableServer(environment(**settings), within=disk) as server,
        httpx.Client(base_url=server.url, headers=headers, timeout=60) as client,
    ):
        inside = Path(f"/proc/{server.process.pid}/root{home}")
        figures = [*(inside / "prometheus_multiproc_dir").glob("*.db")]
        assert figures
        for file in figures:
            assert file.stat().st_blocks * 512 >= file.stat().st_size, f"{file} has holes"
        assert client.post("/predict", json=EXAMPLE).status_code == 200
        workers = server.workers()
        fill(inside / "filling")
        answers = [client.post("/predict", json=EXAMPLE).status_code for _ in range(60)]
        assert set(answers) <= {200, 503}
        assert answers[-1] == 503
        assert client.post("/predict_batch", json=[EXAMPLE] * 100).status_code == 503
        # Figures that were never counted before, each in a place of its own.
        for path in (
            "/model",
            "/history",
            "/metrics",
            "/openapi.json",
            "/",
            "/schema.json",
            "/health",
            "/livez",
        ):
            client.get(path)
            client.get(path, headers={"Authorization": "Bearer nobody"})
        assert client.get("/readyz").status_code == 503
        assert server.workers() == workers
        (inside / "filling").unlink()
        server.await_ready(lambda said: said["code"] == 200)
        assert client.post("/predict", json=EXAMPLE).status_code == 200
        server.await_ready(lambda said: said["database"] == "ready" and said["spool"]["records"] == 0)
        assert predictions(client) == answers.count(200) + 2
        assert server.workers() == workers
        assert "Traceback" not in server.process.output
