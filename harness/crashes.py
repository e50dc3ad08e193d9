"""Crashes: a server that is killed under load, again and again, and what the journal has afterwards."""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from churn.database.engine import opened
from churn.records.integrity import verify
from harness.audit import Audit, audit
from harness.clients import Clients
from harness.servers import Mortal

Kill = Literal["worker", "all"]

CLIENTS = 16
CALLS = 50  # answered between two kills, at least
LONGEST = 2.0  # seconds of load after that, before a kill


def crash(
    env: Mapping[str, str], kills: Sequence[Kill], seed: int, on_kill: Callable[[], object] = lambda: None
) -> Audit:
    """Serve, kill as told at random moments under load, stop cleanly, and compare answers and journal.

    `env` has BENTOML_HOME with a model, DATABASE_URL of a journal that is empty, API_TOKEN and CHURN_WORKERS.
    """
    choices = random.Random(seed)
    with Mortal(env) as server:
        with Clients(server.url, env["API_TOKEN"], count=CLIENTS, seed=seed) as clients:
            for kill in kills:
                server.await_workers(int(env["CHURN_WORKERS"]))
                clients.await_calls(CALLS)
                # Nothing to wait for: that the moment is a random one is the point.
                threading.Event().wait(choices.uniform(0, LONGEST))
                if kill == "worker":
                    server.kill_worker(choices.choice)
                else:
                    server.kill()
                    server.start()
                on_kill()
            clients.await_calls(CALLS)
        server.await_ready(has_replayed)
    with opened(env["DATABASE_URL"]) as engine:
        found = audit(engine, clients.answers)
        return replace(found, unverified=len(verify(engine).findings))


def has_replayed(said: dict[str, Any]) -> bool:
    """Return whether `/readyz` says that the database has everything."""
    return bool(said["database"] == "ready" and said["spool"]["records"] == 0)
