"""The journal of a run: each scored row as the service would log it, a thousand in one transaction."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from churn.core.ids import new_id
from churn.core.operator import operator
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.ingest.rows import Rows
from churn.journal.call import Call
from churn.journal.entry import Pseudonym, entry_of
from churn.journal.operator_actions import METHOD, SCORE
from churn.journal.writer import Writer
from churn.model.registry import ServedModel
from churn.model.vectorized import Floats
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored

TRANSACTION_ROWS = 1000


@dataclass(frozen=True, slots=True)
class RunJournal:
    """Writes scored rows to the journal; the caller is the operator, by the system's name."""

    writer: Writer
    model: ServedModel
    pseudonym: Pseudonym | None = None

    def record(self, rows: Rows, contributions: Floats, probabilities: Floats) -> list[str]:
        """Log the rows, durable on return, and return the id of each prediction.

        Raises:
            DatabaseError: some could not be committed; those of earlier transactions are stored.
        """
        ids: list[str] = []
        for number, part in enumerate(rows.slices(TRANSACTION_ROWS)):
            received, begin = datetime.now(UTC), time.perf_counter()
            start = number * TRANSACTION_ROWS
            span = slice(start, start + len(part.numbers))
            scored = self._scored(part, contributions[:, span], probabilities[span])
            call = Call(
                id=new_id(),
                received_at=received,
                method=METHOD,
                route=SCORE,
                caller=Caller("operator", name=operator()),
                answered_at=datetime.now(UTC),
                status=200,
                duration_ms=(time.perf_counter() - begin) * 1000,
                body=orjson.dumps({"rows": len(scored), "model": self.model.tag}),
                scored=scored,
                model=self.model.tag,
            )
            self.writer.write([entry_of(call, self.pseudonym)])
            ids += [str(prediction.id) for prediction in scored]
        return ids

    def _scored(self, rows: Rows, contributions: Floats, probabilities: Floats) -> list[Scored]:
        names = list(self.model.scorecard.effects)
        return [
            Scored(
                id=new_id(),
                record=record,
                values={name: record[name] for name in names},
                base_value=self.model.scorecard.base_value,
                contributions=dict(zip(names, parts, strict=True)),
                model=self.model.tag,
                prediction=int(probability >= self.model.threshold),
                probability=probability,
                threshold=self.model.threshold,
            )
            for record, parts, probability in zip(
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
