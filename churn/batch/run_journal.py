"""The journal of a run: each scored row as the service would log it, a thousand in one transaction."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import orjson

from churn.core.ids import new_id, repeatable_id
from churn.core.operator import operator
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.ingest.rows import Rows
from churn.journal.call import Call
from churn.journal.entry import Entry, Pseudonym, entry_of
from churn.journal.operator_actions import METHOD, SCORE
from churn.model.registry import ServedModel
from churn.model.vectorized import Floats
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored

TRANSACTION_ROWS = 1000


class EntryWriter(Protocol):
    """Writes entries as `churn.journal.writer.Writer` does."""

    def write(self, entries: Sequence[Entry], *, replayed: bool = False) -> None:
        """Commit entries; `replayed` ones may be there already."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who has a run's rows scored, and how: by default the operator, by the system's name, in a shell.

    With a `seed`, the rows bear a moment and ids that the same run makes again, after it was interrupted:
    what it has journalled by then is not journalled twice.
    """

    method: str = METHOD
    route: str = SCORE
    caller: Caller = default(default_factory=lambda: Caller("operator", name=operator()))
    seed: uuid.UUID | None = None
    moment: datetime = default(default_factory=lambda: datetime.now(UTC))

    def id_of(self, purpose: str, row: int) -> uuid.UUID:
        """Return the id of a row, or of the call that begins with it."""
        return new_id() if self.seed is None else repeatable_id(self.moment, self.seed, purpose, row)

    def received_at(self) -> datetime:
        """Return when a call is received."""
        return datetime.now(UTC) if self.seed is None else self.moment

    def answer(self, rows: int, model: str) -> dict[str, object]:
        """Return what is logged as the answer to some rows."""
        named = {} if self.seed is None else {"job": str(self.seed)}
        return {"rows": rows, "model": model, **named}


@dataclass(frozen=True, slots=True)
class RunJournal:
    """Writes scored rows to the journal."""

    writer: EntryWriter
    model: ServedModel
    pseudonym: Pseudonym | None = None
    origin: Origin = default(default_factory=Origin)

    def record(self, rows: Rows, contributions: Floats, probabilities: Floats) -> list[str]:
        """Log the rows, durable on return, and return the id of each prediction.

        Raises:
            DatabaseError: some could not be committed; those of earlier transactions are stored.
        """
        ids: list[str] = []
        for number, part in enumerate(rows.slices(TRANSACTION_ROWS)):
            received, begin = self.origin.received_at(), time.perf_counter()
            start = number * TRANSACTION_ROWS
            span = slice(start, start + len(part.numbers))
            scored = self._scored(part, contributions[:, span], probabilities[span])
            call = Call(
                id=self.origin.id_of("call", int(part.numbers[0])),
                received_at=received,
                method=self.origin.method,
                route=self.origin.route,
                caller=self.origin.caller,
                answered_at=datetime.now(UTC),
                status=200,
                duration_ms=(time.perf_counter() - begin) * 1000,
                body=orjson.dumps(self.origin.answer(len(scored), self.model.tag)),
                scored=scored,
                model=self.model.tag,
            )
            entry = entry_of(call, self.pseudonym)
            self.writer.write([entry], replayed=self.origin.seed is not None)
            ids += [str(prediction.id) for prediction in scored]
        return ids

    def _scored(self, rows: Rows, contributions: Floats, probabilities: Floats) -> list[Scored]:
        names = list(self.model.scorecard.effects)
        return [
            Scored(
                id=self.origin.id_of("prediction", number),
                record=record,
                values={name: record[name] for name in names},
                base_value=self.model.scorecard.base_value,
                contributions=dict(zip(names, parts, strict=True)),
                model=self.model.tag,
                prediction=int(probability >= self.model.threshold),
                probability=probability,
                threshold=self.model.threshold,
            )
            for number, record, parts, probability in zip(
                rows.numbers.tolist(),
                records(rows, self.model.dictionary),
                contributions.T.tolist(),
                probabilities.tolist(),
                strict=True,
            )
        ]


def records(rows: Rows, dictionary: Dictionary) -> list[dict[str, Any]]:
    """Return rows as cleaned records, as `Employee.record` returns one; None is unknown."""
    columns = {field.name: _values(field, rows) for field in dictionary.inputs}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _values(field: Field, rows: Rows) -> list[Any]:
    count = len(rows.numbers)
    if field.kind == "identifier":
        return [None] * count if rows.employees is None else list(rows.employees.to_pylist())
    if field.name not in rows.cells:
        return [None] * count
    cells = rows.cells[field.name].tolist()
    if not field.numeric:
        return [None if code < 0 else field.categories[code] for code in cells]
    unknown = np.isnan(rows.cells[field.name])
    number = int if field.kind == "integer" else float
    return [None if gap else number(cell) for cell, gap in zip(cells, unknown, strict=True)]
