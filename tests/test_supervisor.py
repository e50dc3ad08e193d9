"""The supervisor of a real `bentoml serve` with two workers: who may command it, restarts, and its death."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from churn.model import registry
from churn.model.registry import ServedModel
from harness.clients import Clients
from harness.servers import (
    PATIENCE,
    PROJECT,
    Process,
    RestartableServer,
    environment,
    free_port,
    home_beside,
    wait_until,
)

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"


@pytest.fixture(scope="module")
def home(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_beside(registry.home(), tmp_path_factory.mktemp("supervised"))


@pytest.fixture(scope="module")
def server(model: ServedModel, home: Path) -> Iterator[RestartableServer]:
    env = environment(
        BENTOML_HOME=str(home),
        DATABASE_URL=f"sqlite:///{home.parent / 'churn.db'}",
        CHURN_MODEL=model.tag,
        CHURN_WORKERS="2",
        API_TOKEN=TOKEN,
        BENTOML_CONTAINERIZED="true",  # where BentoML's own supervisor replaces no worker
    )
    with RestartableServer(env) as server:
        ready = "Service churn initialized"  # the other worker may take longer than the one that answers
        wait_until(lambda: server.process.output.count(ready) == 2, lambda: server.process.output)
        yield server


def workers(server: RestartableServer) -> set[int]:
    """Return the ids of the workers' processes, old and new."""
    return {worker.pid for worker in server.process.workers()}


def test_nobody_else_can_command_it(server: RestartableServer) -> None:
    assert {f"http://{host}:{port}" for host, port in server.process.listens_on()} == {server.url}
    supervisor = server.process.children()[0].parent()
    places = {Path(call.laddr).parent for call in supervisor.net_connections("unix") if call.laddr}
    assert places  # circus has its sockets somewhere
    for place in places:
        assert (place.stat().st_uid, place.stat().st_mode & 0o077) == (os.getuid(), 0), place


def test_a_restart_replaces_all_workers_and_refuses_no_call(server: RestartableServer) -> None:
    old = workers(server)
    assert len(old) == 2
    counts = set()

    def is_done() -> bool:
        counts.add(len(now := workers(server)))
        return len(now) == 2 and not now & old

    with Clients(server.url, TOKEN, count=2) as clients:
        clients.await_calls(20)
        server.process.send(signal.SIGHUP)
        wait_until(is_done, lambda: server.process.output)
        clients.await_calls(20)
    assert (set(clients.statuses), clients.cut) == ({200}, 0)
    assert counts == {2, 3}  # one by one


def test_a_missing_worker_is_known_until_it_is_replaced(server: RestartableServer) -> None:
    assert server.await_ready(lambda answer: answer.get("workers") == 2)["code"] == 200
    assert health(server) == (0, "ready: 2 of 2 workers serve, the database is ready\n")
    wait_until(lambda: len(workers(server)) == 2)  # those of an earlier reload are on their way out
    old = workers(server)
    os.kill(min(old), signal.SIGKILL)
    server.await_ready(lambda answer: answer.get("workers") == 1)
    server.await_ready(lambda answer: answer.get("workers") == 2)
    assert len(workers(server) - old) == 1
    assert "churn_workers 2.0" in httpx.get(f"{server.url}/metrics").text
    assert health(server, CHURN_WORKERS="3") == (
        1,
        "churn: 2 of 3 workers serve: the others are starting, or fail to\n",
    )


def test_where_nothing_answers_health_is_a_sentence(server: RestartableServer) -> None:
    port = str(free_port())
    code, said = health(server, PORT=port)
    assert code == 1
    assert said.startswith(f"churn: no service answers on http://127.0.0.1:{port} within 5 seconds (")
    assert said.count("\n") == 1


def health(server: RestartableServer, **changes: str) -> tuple[int, str]:
    """Return the exit code of `churn health`, and what it said."""
    env = environment(PORT=server.url.rpartition(":")[2], CHURN_WORKERS="2") | changes
    command = [sys.executable, "-m", "churn.cli.main", "health"]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_where_new_workers_cannot_serve_the_old_ones_do(server: RestartableServer, home: Path) -> None:
    old = workers(server)
    models = home / "models"
    models.rename(home / "elsewhere")
    try:
        server.process.send(signal.SIGHUP)
        server.process.await_output("restart given up: a new worker does not serve")
    finally:
        (home / "elsewhere").rename(models)
    wait_until(lambda: workers(server) == old, lambda: server.process.output)
    assert server.ready()["code"] == 200


def test_a_stop_during_a_restart_is_a_stop(server: RestartableServer) -> None:
    before = workers(server)
    server.process.send(signal.SIGHUP)
    wait_until(lambda: workers(server) > before, lambda: server.process.output)
    assert server.process.stop() == 0
    server.start()


def test_no_worker_outlives_it(server: RestartableServer) -> None:
    left = server.process.children()
    assert len(left) >= 2
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/livez").status_code == 200  # an idle connection is no reason to stay
        server.process.send(signal.SIGKILL)
        _, alive = psutil.wait_procs(left, PATIENCE)
    assert not alive


def test_a_signal_ends_a_start_that_waits_for_its_database(model: ServedModel, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(PATIENCE)
        env = environment(
            BENTOML_HOME=str(home),
            CHURN_MODEL=model.tag,
            API_TOKEN=TOKEN,
            DATABASE_URL=f"postgresql://churn@127.0.0.1:{mute.getsockname()[1]}/churn",
        )
        command = [sys.executable, "-m", "churn.cli.main", "serve", "--port", str(free_port())]
        process = Process(command, env, PROJECT)
        with mute.accept()[0]:  # by then, a worker has been started
            [worker] = process.workers()
            assert process.stop() == 0
    assert not worker.is_running()
    assert process.output.strip() == ""
