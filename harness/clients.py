"""Clients that post until they are stopped, and remember each answer that arrived whole."""

import http.client
import json
import random
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from churn.dictionary.technova import TECHNOVA

LARGEST_BATCH = 8
BATCHES = 0.25  # share of the calls
PATIENCE = 60.0  # seconds that an answer may take, a restart included
HANG_UPS = 0.05  # share of the calls after which a client hangs up, so that a new worker gets callers too
PAUSE = 0.05  # seconds after a call that was refused or cut


@dataclass(frozen=True, slots=True)
class Answered:
    """One prediction that left the server: for whom, and its result."""

    prediction_id: uuid.UUID
    employee_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is no prediction."""

    status: int
    retry_after: str | None
    body: Any


class Clients:
    """Several clients, each in its own thread, which post inside the `with` block.

    They mix `/predict` and small batches, and never use an employee's id twice, so that each answer can be
    found in the database. A connection that breaks, or has no answer after `patience` seconds, counts as
    `cut` and is made again.
    """

    def __init__(
        self, url: str, token: str, *, count: int, seed: int = 0, patience: float = PATIENCE
    ) -> None:
        self._address = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._seed, self._patience = seed, patience
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(count)
        self._running: list[Future[None]] = []
        self._count = count
        self.answers: list[Answered] = []
        self.refusals: list[Refused] = []
        self.statuses: Counter[int] = Counter()
        self.cut = 0

    def __enter__(self) -> Self:
        self._running = [self._threads.submit(self._run, number) for number in range(self._count)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._threads.shutdown()
        for client in self._running:
            client.result()  # raises the errors that no client should have met

    def await_calls(self, more: int, status: int = 200) -> None:
        """Wait until so many more calls were answered with a status; fail where they are not."""
        with self._changed:
            wanted = self.statuses[status] + more
            is_done = self._changed.wait_for(lambda: self.statuses[status] >= wanted, 2 * PATIENCE)
        assert is_done, f"{dict(self.statuses)}, {self.cut} cut, {self.refusals[-1:]}"

    def _run(self, number: int) -> None:
        choices = random.Random(f"{self._seed} {number}")
        connection = http.client.HTTPConnection(
            str(self._address.hostname), self._address.port, timeout=self._patience
        )
        call = 0
        while not self._stopping.is_set():
            call += 1
            size = choices.randint(1, LARGEST_BATCH) if choices.random() < BATCHES else None
            name = f"{self._seed}-{number}-{call}"
            people = [_employee(f"{name}-{place}", choices) for place in range(size or 1)]
            try:
                refused = self._post(connection, people, is_batch=size is not None)
            except (OSError, http.client.HTTPException):
                connection.close()
                refused = True
                with self._changed:
                    self.cut += 1
            if refused:
                self._stopping.wait(PAUSE)
            if choices.random() < HANG_UPS:
                connection.close()
        connection.close()

    def _post(
        self, connection: http.client.HTTPConnection, people: Sequence[dict[str, Any]], *, is_batch: bool
    ) -> bool:
        """Post one call, note its answer, and return whether it was refused."""
        path, body = ("/predict_batch", people) if is_batch else ("/predict", people[0])
        connection.request("POST", path, json.dumps(body), self._headers)
        response = connection.getresponse()
        content = json.loads(response.read())
        with self._changed:
            if response.status == 200:
                answers = content if is_batch else [content]
                self.answers += [_answered(*pair) for pair in zip(people, answers, strict=True)]
            else:
                self.refusals.append(Refused(response.status, response.headers["Retry-After"], content))
            self.statuses[response.status] += 1
            self._changed.notify_all()
        return response.status != 200


def _employee(name: str, choices: random.Random) -> dict[str, Any]:
    """Return an employee with an identifier and a random risk."""
    return {
        **TECHNOVA.example,
        "employee_id": name,
        "revenu_mensuel": choices.randint(1_000, 20_000),
        "distance_domicile_travail": choices.randint(1, 30),
        "heure_supplementaires": choices.choice(["Oui", "Non"]),
    }


def _answered(person: dict[str, Any], answer: dict[str, Any]) -> Answered:
    return Answered(uuid.UUID(answer["prediction_id"]), person["employee_id"], answer["probability"])
