"""Large batches under a real `bentoml serve`: in a process of their own, which ends with what it was for."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from pydantic import JsonValue
from sqlalchemy import func, select

from churn.database.engine import opened
from churn.database.tables import api_responses, employee_inputs, prediction_results, requests
from churn.model.registry import ServedModel
from churn.offload.process import received
from churn.records.integrity import verify
from harness.servers import RestartableServer, environment, resident, wait_until
from tests.conftest import Served
from tests.support.company import EXAMPLE
from tests.support.deadlines import short_deadline

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
FEW, MANY = [EXAMPLE] * 100, [EXAMPLE] * 10_000
PROGRAM = "churn.offload.process"


def child_of(process: psutil.Process) -> psutil.Process | None:
    """Return the process for large batches that another has, if any."""
    for child in process.children(recursive=True):
        try:
            if PROGRAM in " ".join(child.cmdline()):
                return child
        except psutil.NoSuchProcess:  # it ends
            continue
    return None


def the_child_of(process: psutil.Process) -> psutil.Process:
    child = child_of(process)
    assert child is not None
    return child


class TestInProcess:
    def test_it_is_journalled_as_any_other(self, served: Served, model: ServedModel) -> None:
        people = [{**EXAMPLE, "employee_id": number, "age": 20 + number % 40} for number in range(100)]
        answer = served.client.post("/predict_batch", json=people)
        assert answer.status_code == 200
        again = [served.client.post("/predict", json=one).json()["probability"] for one in people[:3]]
        assert [one["probability"] for one in answer.json()[:3]] == again
        key = answer.headers["X-Request-ID"]
        with served.engine.connect() as connection:
            [asked] = connection.execute(select(requests).where(requests.c.route == "/predict_batch"))
            [said] = connection.execute(select(api_responses).where(api_responses.c.request_id == asked.id))
            inputs = select(employee_inputs).where(employee_inputs.c.request_id == asked.id)
            rows = connection.execute(inputs.order_by(employee_inputs.c.position)).all()
        assert (str(asked.id), asked.model, said.status) == (key, model.tag, 200)
        assert asked.caller_name
        assert said.body == answer.json()
        assert [row.employee_id for row in rows] == [str(one["employee_id"]) for one in people]
        assert verify(served.engine).findings == []

    def test_ids_are_hidden_where_they_are_to_be(self, pseudonymized: Served) -> None:
        people = [{**EXAMPLE, "employee_id": "E-4711"}] * 100
        assert pseudonymized.client.post("/predict_batch", json=people).status_code == 200
        with pseudonymized.engine.connect() as connection:
            ids = connection.execute(select(employee_inputs.c.employee_id)).scalars().all()
        assert len(ids) == 100
        assert all(str(one).startswith("p:") for one in ids)

    def test_with_many_files_open_and_none_in_memory(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if hasattr(os, "memfd_create"):  # of Linux alone
            monkeypatch.delattr(os, "memfd_create")
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
        try:
            assert served.client.post("/predict_batch", json=FEW).status_code == 200
        finally:
            for number in others:
                os.close(number)

    def test_what_takes_too_long_is_ended(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        assert served.client.post("/predict_batch", json=FEW).status_code == 200
        stuck = the_child_of(psutil.Process())
        stuck.suspend()
        with monkeypatch.context() as patched:
            short_deadline(patched, "/predict_batch", 0.5)
            assert served.client.post("/predict_batch", json=FEW).status_code == 504
        stuck.wait(60)
        assert served.client.post("/predict_batch", json=FEW).status_code == 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("offload")


@pytest.fixture(scope="module")
def server(model: ServedModel, folder: Path) -> Iterator[RestartableServer]:
    env = environment(DATABASE_URL=f"sqlite:///{folder / 'churn.db'}", CHURN_MODEL=model.tag, API_TOKEN=TOKEN)
    with RestartableServer(env) as server:
        yield server


def worker_of(server: RestartableServer) -> psutil.Process:
    [worker] = server.process.workers()
    return worker


def post(server: RestartableServer, people: list[dict[str, JsonValue]]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.post(f"{server.url}/predict_batch", json=people, headers=headers, timeout=120)


def spent(process: psutil.Process) -> float:
    """Return the seconds of a core that a process has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


def posted(
    server: RestartableServer, pool: ThreadPoolExecutor
) -> tuple[psutil.Process, "Future[httpx.Response]"]:
    """Post a large batch, and return who works on it and what will be answered."""
    assert post(server, FEW).status_code == 200  # so that there is one
    child = the_child_of(psutil.Process(server.process.pid))
    before = child.cpu_times().user
    answer = pool.submit(post, server, MANY)
    wait_until(lambda: child.cpu_times().user > before + 0.1)
    return child, answer


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_worker_that_ends_with_something_unread_is_no_failure() -> None:
    worker, process = socket.socketpair()
    with process:
        process.send(b"1")
        worker.close()
        assert received(process) == []


class TestServed:
    """One server for all: the last of them ends it."""

    def test_the_worker_only_passes_bytes_on_and_the_memory_returns(
        self, server: RestartableServer, pool: ThreadPoolExecutor
    ) -> None:
        worker, everyone = worker_of(server), psutil.Process(server.process.pid)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.post(f"{server.url}/predict", json=EXAMPLE, headers=headers).status_code == 200
        quiet, began = resident(everyone), spent(worker)
        child, answer = posted(server, pool)
        assert child.nice() > worker.nice()
        figures = [(resident(everyone), resident(worker) - resident(child), spent(child))]

        def is_over() -> bool:
            with suppress(psutil.NoSuchProcess):
                figures.append((resident(everyone), resident(worker) - resident(child), spent(child)))
            return answer.done()

        wait_until(is_over)
        assert (answer.result().status_code, len(answer.result().json())) == (200, 10_000)
        peak, own, work = (max(found) for found in zip(*figures, strict=True))
        assert peak > 1.5 * quiet
        assert own < 1.2 * figures[0][1] + len(answer.result().content)  # of which it may see all at once
        assert spent(worker) - began < 0.3 * work
        child.wait(60)  # ends by itself, since nobody asks for more
        assert resident(everyone) < 1.2 * quiet

    def test_nobody_else_is_listened_to(self, server: RestartableServer) -> None:
        assert post(server, FEW).status_code == 200
        assert child_of(psutil.Process(server.process.pid)) is not None
        assert {f"http://{host}:{port}" for host, port in server.process.listens_on()} == {server.url}

    def test_one_that_dies_answers_nothing_and_is_replaced(
        self, server: RestartableServer, pool: ThreadPoolExecutor
    ) -> None:
        child, answer = posted(server, pool)
        child.kill()
        refused = answer.result()
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "probability" not in refused.text
        assert post(server, FEW).status_code == 200

    def test_a_stop_waits_for_the_answer(self, server: RestartableServer, pool: ThreadPoolExecutor) -> None:
        child, answer = posted(server, pool)
        worker = worker_of(server)
        child.send_signal(signal.SIGTERM)  # as a service manager sends it to all of them
        worker.send_signal(signal.SIGTERM)
        assert (answer.result().status_code, len(answer.result().json())) == (200, 10_000)
        assert psutil.wait_procs([child, worker], 60)[1] == []

    def test_a_stop_waits_for_one_that_has_only_just_been_started(
        self, server: RestartableServer, pool: ThreadPoolExecutor
    ) -> None:
        assert post(server, FEW).status_code == 200  # the worker of before may have been stopped
        worker, told = worker_of(server), "the process for large batches has ended by itself"
        before = server.process.output.count(told)
        the_child_of(worker).kill()
        wait_until(lambda: server.process.output.count(told) > before)
        answer = pool.submit(post, server, FEW)
        wait_until(lambda: child_of(worker) is not None)
        the_child_of(worker).send_signal(signal.SIGTERM)
        worker.send_signal(signal.SIGTERM)
        assert (answer.result().status_code, len(answer.result().json())) == (200, len(FEW))

    def test_it_does_not_outlive_its_worker(
        self, server: RestartableServer, pool: ThreadPoolExecutor
    ) -> None:
        child, answer = posted(server, pool)
        worker_of(server).kill()
        child.wait(60)
        assert isinstance(answer.exception(), httpx.TransportError)

    def test_what_it_has_journalled_is_sound(self, server: RestartableServer, folder: Path) -> None:
        answer = post(server, FEW)
        assert answer.status_code == 200
        with opened(f"sqlite:///{folder / 'churn.db'}") as engine:
            assert verify(engine).findings == []
            with engine.connect() as connection:
                query = select(prediction_results.c.request_id, func.count()).group_by("request_id")
                counts = Counter(count for _, count in connection.execute(query))
        assert len(FEW) in counts
        assert counts.keys() <= {1, len(FEW), len(MANY)}  # whole batches, whatever became of them
        assert "Traceback" not in server.process.output
