"""Crashes: a server is killed under load, again and again, and its journal is audited afterwards."""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from churn.database.engine import opened
from churn.records.integrity import verify
from harness.audit import Audit, audit
from harness.clients import Clients
from harness.servers import RestartableServer

Kill = Literal["worker", "all"]

CLIENTS = 16
CALLS = 50  # answered at least between two kills
LONGEST = 2.0  # seconds of load after that, at most, before a kill


def crash(
    env: Mapping[str, str], kills: Sequence[Kill], seed: int, on_kill: Callable[[], object] = lambda: None
) -> Audit:
    """Serve, `kills` at random moments under load, stop cleanly, and compare the answers with the journal.

    `env` has BENTOML_HOME with a model, DATABASE_URL of an empty journal, API_TOKEN and CHURN_WORKERS.
    """
    choices = random.Random(seed)
    with RestartableServer(env) as server:
        with Clients(server.url, env["API_TOKEN"], count=CLIENTS, seed=seed) as clients:
            for kill in kills:
                server.await_workers(int(env["CHURN_WORKERS"]))
                clients.await_calls(CALLS)
                # Not a wait for something: the point is that the moment is random.
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
        audited = audit(engine, clients.answers)
        return replace(audited, unverified=len(verify(engine).findings))


def has_replayed(readiness: dict[str, Any]) -> bool:
    """Return whether the answer of `/readyz` says that the database has everything."""
    return bool(readiness["database"] == "ready" and readiness["spool"]["records"] == 0)
