"""The predictions of a period by one model, as monitoring counts them; a sample where there are too many.

A sample is chosen by the keys' last digits, which are random: each prediction is as likely in it as any
other, and the same question has the same answer.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Text, cast, func, literal, select

from churn.database.schema import explained
from churn.database.tables import employee_inputs, features, prediction_results, requests
from churn.records.predictions import PAGE_ROWS, choose, document_of, rows_by_key

_RESULTS, _INPUTS = prediction_results.c, employee_inputs.c
_KEY = _RESULTS.id
_DIGITS = 6  # hexadecimal, at the end of a key
_AIMED = 0.95  # of the most that may be read: chance must not make it more

# Of a what-if, the second input is nobody: it is what somebody would be after some changes.
WHAT_IFS = frozenset({"/what_if", "/app/what-if", "/ui/gradio_api/run/predict"})

# Documents as text, as `churn.records.predictions` reads them.
_FEATURES = select(
    features.c.id,
    cast(features.c["values"], Text).label("values_seen"),
    cast(features.c.contributions, Text).label("contributions"),
)
_PEOPLE = select(_INPUTS.id, _INPUTS.employee_id, _INPUTS.position, _INPUTS.record.is_(None).label("erased"))
_ROUTES = select(requests.c.id, requests.c.route)


@dataclass(frozen=True, slots=True)
class SampledPrediction:
    """What monitoring takes of one prediction; it `is_hypothetical` after the changes of a what-if.

    Documents are None where they were erased, are missing or cannot be read.
    """

    at: datetime
    employee_id: str | None
    erased: bool
    is_hypothetical: bool
    values: dict[str, Any] | None
    contributions: dict[str, Any] | None
    probability: float | None
    flagged: bool


@dataclass(frozen=True, slots=True)
class PredictionSample:
    """Predictions, the newest first, of `total` in a period; a sample of them unless `is_whole`.

    The total is None where nobody has counted.
    """

    predictions: Iterator[SampledPrediction]
    total: int | None
    is_whole: bool


def newest(engine: Engine, since: datetime | None, until: datetime | None, *, model: str) -> PredictionSample:
    """Return the predictions from `since` on and before `until`, to be read as far as they are needed."""
    return PredictionSample(_newest(engine, since, until, model), None, is_whole=True)


def sample(
    engine: Engine, since: datetime | None, until: datetime | None, *, model: str, most: int
) -> PredictionSample:
    """Return the predictions from `since` on and before `until`, or a sample of about `most` of them.

    Raises:
        DatabaseError: the database cannot be read.
    """
    chosen = choose(since, until).where(_RESULTS.model == model)
    with explained(engine), engine.connect() as connection:
        total = connection.execute(chosen.with_only_columns(func.count())).scalar_one()
        if total <= most:
            return PredictionSample(_newest(engine, since, until, model), total, is_whole=True)
        # The keys alone: the index has them, and the rows are many times as large. Sorted here: to give them
        # in order, PostgreSQL would go through the index alone, with no other process to help.
        query = chosen.with_only_columns(_KEY).where(_is_among(engine, _AIMED * most / total))
        keys = sorted(connection.execute(query).scalars(), reverse=True)
    return PredictionSample(_sampled(engine, keys), total, is_whole=False)


def _is_among(engine: Engine, share: float) -> ColumnElement[bool]:
    """Return the condition that holds of such a share of the keys, by their last digits."""
    bound = f"{int(16**_DIGITS * share):0{_DIGITS}x}"
    if engine.dialect.name == "sqlite":  # which keeps a key as 32 digits
        return func.substr(cast(_KEY, Text), 32 - _DIGITS + 1) < literal(bound)
    # As bytes, which are compared in half the time of texts.
    return func.substr(func.uuid_send(_KEY), 16 - _DIGITS // 2 + 1) < literal(bytes.fromhex(bound))


def _newest(
    engine: Engine, since: datetime | None, until: datetime | None, model: str
) -> Iterator[SampledPrediction]:
    before: uuid.UUID | None = None
    while True:
        chosen = choose(since, until, before=before).where(_RESULTS.model == model)
        with explained(engine), engine.connect() as connection:
            keys, page = _read(connection, chosen.order_by(_KEY.desc()).limit(PAGE_ROWS))
        yield from page
        if len(keys) < PAGE_ROWS:
            return
        before = keys[-1]


def _sampled(engine: Engine, keys: Sequence[uuid.UUID]) -> Iterator[SampledPrediction]:
    for start in range(0, len(keys), PAGE_ROWS):
        own = select(prediction_results).where(_KEY.in_(keys[start : start + PAGE_ROWS]))
        with explained(engine), engine.connect() as connection:
            _, page = _read(connection, own.order_by(_KEY.desc()))
        yield from page


def _read(connection: Connection, chosen: Any) -> tuple[list[uuid.UUID], list[SampledPrediction]]:
    """Return the keys of a query of results, in its order, and what belongs to them."""
    results = connection.execute(chosen).all()
    keys = [row.id for row in results]
    features_of = rows_by_key(connection, _FEATURES, keys)
    person_of = rows_by_key(connection, _PEOPLE, keys)
    # Only of calls with several inputs: the first one of a what-if is somebody.
    calls = {
        row.request_id for row in results if (person := person_of.get(row.id)) is not None and person.position
    }
    route_of = {call: row.route for call, row in rows_by_key(connection, _ROUTES, calls).items()}
    return keys, [
        _sampled_prediction(row, person_of.get(row.id), features_of.get(row.id), route_of.get(row.request_id))
        for row in results
    ]


def _sampled_prediction(result: Any, person: Any, seen: Any, route: str | None) -> SampledPrediction:
    erased = person is not None and person.erased
    return SampledPrediction(
        at=datetime.fromtimestamp((result.id.int >> 80) / 1000, UTC),
        employee_id=person and person.employee_id,
        erased=erased,
        is_hypothetical=person is not None and person.position > 0 and route in WHAT_IFS,
        values=None if erased else document_of(seen, "values_seen"),
        contributions=None if erased else document_of(seen, "contributions"),
        probability=result.probability,
        flagged=bool(result.prediction),
    )
