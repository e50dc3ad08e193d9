"""The audit: the answers that clients received, compared with the journal."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from churn.database.tables import (
    api_responses,
    employee_inputs,
    features,
    journal_batches,
    prediction_results,
    requests,
)
from harness.clients import Answered


@dataclass(frozen=True, slots=True)
class Audit:
    """How many predictions were answered, and what became of them.

    `lost` ones lack one of their five rows, `duplicated` ones have a row twice, and `altered` ones differ
    from the answer. `half` counts requests and predictions in the journal, answered or not, that lack a row.
    `unheard` ones are complete, but their answer did not arrive: that is no fault. `unverified` counts the
    findings of `churn data verify`.
    """

    answered: int
    found: int
    lost: int
    duplicated: int
    altered: int
    half: int
    unheard: int
    unverified: int = 0

    @property
    def faults(self) -> dict[str, int]:
        """The faults that were found, with their counts."""
        names = ("lost", "duplicated", "altered", "half", "unverified")
        return {name: count for name in names if (count := getattr(self, name))}


def audit(engine: Engine, answers: Sequence[Answered]) -> Audit:
    """Compare the answers of clients with a journal that has no other calls."""
    with engine.connect() as connection:
        journal = _Journal(connection)
    lost = duplicated = altered = 0
    for answer in answers:
        rows = journal.rows(answer.prediction_id)
        if not all(rows):
            lost += 1
        elif max(rows) > 1 or journal.employees[answer.employee_id] > 1:
            duplicated += 1
        elif not journal.agrees(answer):
            altered += 1
    found = len(answers) - lost
    heard = {answer.prediction_id for answer in answers}
    unheard = sum(1 for key in journal.results if key not in heard)
    return Audit(len(answers), found, lost, duplicated, altered, journal.half(), unheard)


class _Journal:
    """The journal's keys, and the values that answers are compared with."""

    def __init__(self, connection: Connection) -> None:
        self._requests = _count(connection, select(requests.c.id))
        self._responses = _count(connection, select(api_responses.c.request_id))
        self._inputs = _count(connection, select(employee_inputs.c.id))
        self._features = _count(connection, select(features.c.id))
        self._results = _count(connection, select(prediction_results.c.id))
        columns = employee_inputs.c.id, employee_inputs.c.request_id, employee_inputs.c.employee_id
        people = _all(connection, select(*columns))
        self.employees = Counter(row.employee_id for row in people)
        self._person = {row.id: (row.request_id, row.employee_id) for row in people}
        values = _all(connection, select(prediction_results.c.id, prediction_results.c.probability))
        self.results: dict[uuid.UUID, float] = dict(values)
        bodies = select(api_responses.c.request_id, api_responses.c.body).where(api_responses.c.status == 200)
        # Only the identifiers are kept, since the bodies are long.
        self._answered = {row.request_id: _ids(row.body) for row in connection.execute(bodies)}

    def rows(self, key: uuid.UUID) -> tuple[int, ...]:
        """Return how many rows each of the five tables has for a prediction."""
        request, _ = self._person.get(key, (None, None))
        return (
            self._requests[request],
            self._inputs[key],
            self._features[key],
            self._results[key],
            self._responses[request],
        )

    def agrees(self, answer: Answered) -> bool:
        """Return whether the rows of a complete prediction agree with the answer."""
        request, employee_id = self._person[answer.prediction_id]
        return (
            employee_id == answer.employee_id
            and self.results[answer.prediction_id] == answer.probability
            and answer.prediction_id in self._answered.get(request, ())
        )

    def half(self) -> int:
        """Return how many requests and predictions lack one of their rows."""
        apart = self._requests.keys() ^ self._responses.keys()
        keys = self._inputs.keys() | self._features.keys() | self._results.keys()
        torn = {key for key in keys if not all(self.rows(key))}
        promised = {key for answered in self._answered.values() for key in answered}
        return len(apart) + len(torn | (promised - keys))


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


def _count(connection: Connection, query: Select[Any]) -> Counter[uuid.UUID]:
    return Counter(connection.execute(query).scalars())


def _ids(body: Any) -> list[uuid.UUID]:
    answers: Iterable[Any] = body if isinstance(body, list) else [body]
    return [uuid.UUID(answer["prediction_id"]) for answer in answers if "prediction_id" in answer]


def in_order(engine: Engine) -> bool:
    """Return whether the calls were committed in the order in which they were answered.

    For the journal of one worker at a time, in which no refused calls were only counted.
    """
    columns = requests.c.batch_id, api_responses.c.answered_at
    query = (
        select(*columns)
        .join(api_responses, api_responses.c.request_id == requests.c.id)
        .join(journal_batches, journal_batches.c.id == requests.c.batch_id)
        .order_by(journal_batches.c.committed_at, api_responses.c.answered_at)
    )
    with engine.connect() as connection:
        answered = [row.answered_at for row in connection.execute(query)]
    return answered == sorted(answered)
