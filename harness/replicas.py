"""Replicas of the service in containers, on one PostgreSQL: upgraded, killed and stopped under load."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import httpx

from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from churn.records.integrity import verify
from harness import postgres
from harness.audit import audit
from harness.balancer import balanced
from harness.clients import Clients
from harness.containers import Container, docker
from harness.rehearsal import Caller, Figures
from harness.servers import wait_until

BATCH = 10_000  # rows of the call that is in flight when it is told to stop

# Runs `churn db upgrade` in images of ours, and in those of BentoML's.
UPGRADE = "command -v churn >/dev/null || cd /home/bentoml/bento/src; python -m churn.cli.main db upgrade"


@contextmanager
def database(image: str) -> Iterator[str]:
    """Yield the URL of a PostgreSQL database with the schema of an image."""
    with postgres.own_server() as server, postgres.database(server.url) as url:
        migrate(image, url)
        yield url


def migrate(image: str, url: str) -> None:
    """Bring a database to the schema of an image, in a container that then ends."""
    env = ("--env", f"DATABASE_URL={url}", "--env", "BENTOML_HOME=/tmp/bentoml")
    docker("run", "--rm", "--network", "host", *env, "--entrypoint", "sh", image, "-c", UPGRADE)


def as_a_server(image: str, older: str, caller: Caller) -> Figures:
    """Run two replicas on one PostgreSQL: upgraded from an older image, killed, and stopped under load."""
    with ExitStack() as stack:
        url = stack.enter_context(database(older))
        env = {**caller.env, "DATABASE_URL": url}

        def start(which: str, workers: int) -> Container:
            container = Container(which, env={**env, "CHURN_WORKERS": str(workers)})
            return stack.enter_context(container)

        old = [start(older, 1), start(older, 1)]
        for container in old:
            container.await_ready()
        balancer = stack.enter_context(balanced(*(container.url for container in old)))
        with Clients(balancer.url, caller.token, count=4) as upgrading:
            upgrading.await_calls(40)
            migrate(image, url)
            new = [start(image, 2), start(image, 1)]
            for container in new:
                container.await_ready()
            balancer.use(*(container.url for container in (*old, *new)))
            upgrading.await_calls(80)
            balancer.use(*(container.url for container in new))
            codes = [container.stop() for container in old]
            upgrading.await_calls(40)
        refused = sum(count for status, count in upgrading.statuses.items() if status != 200)
        with Clients(new[0].url, caller.token, count=4, seed=1) as killing:
            killing.await_calls(20)
            replaced = _kill_worker(new[0], killing)
        with Clients(new[1].url, caller.token, count=4, seed=2) as crashing:
            crashing.await_calls(20)
            new[1].kill()
            new[1].restart()
            back = new[1].await_ready()
            crashing.await_calls(20)
        stopping = _stop_in_flight(new[0], caller)
        answered = [*upgrading.answers, *killing.answers, *crashing.answers]
        with opened(url) as engine:
            found = audit(engine, answered)
            broken = len(verify(engine).findings)
        return {
            "upgrade_calls": upgrading.statuses.total(),
            "upgrade_refused": refused,
            "upgrade_cut": upgrading.cut,
            "old_exit_codes": codes,
            "worker_replaced": replaced,
            "container_back": back,
            **stopping,
            "answered": found.answered,
            "lost": found.lost,
            "faults": found.faults,
            "unverified": broken,
        }


def _kill_worker(container: Container, clients: Clients) -> float:
    """Kill one of two workers, and return after how many seconds two serve again."""
    os.kill(container.workers()[0], signal.SIGKILL)
    killed = time.monotonic()
    for count in (1, 2):
        wait_until(lambda count=count: _serving(container) == count, container.logs)  # type: ignore[misc]
    seconds = time.monotonic() - killed
    clients.await_calls(20)
    return seconds


def _serving(container: Container) -> int:
    with suppress(httpx.TransportError):  # the worker that was killed had taken the call
        serving: int = httpx.get(f"{container.url}/readyz", timeout=60).json()["workers"]
        return serving
    return 0


def _stop_in_flight(container: Container, caller: Caller) -> Figures:
    """Have it stopped while it answers a large batch; return how long that took, and what became of it."""
    body = json.dumps([TECHNOVA.example] * BATCH)
    headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": "application/json"}
    with ThreadPoolExecutor(1) as thread, caller.client(container) as client:
        sent = threading.Event()

        def content() -> Iterator[bytes]:
            yield body.encode()
            sent.set()

        answer = thread.submit(client.post, "/predict_batch", content=content(), headers=headers)
        assert sent.wait(60)
        began = time.monotonic()
        code = container.stop()
        answered = answer.result()
        assert answered.status_code == 200, f"{answered.text[:500]}\n{container.logs()}"
        rows = len(answered.json())
    return {"stopped_after": time.monotonic() - began, "exit_code": code, "rows_in_flight": rows}
