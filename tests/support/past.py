"""Predictions of an earlier time, scored by a real model and written as the service writes them."""

import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Engine

from churn.core.ids import repeatable_id
from churn.journal.call import Call
from churn.journal.entry import Pseudonym, entry_of
from churn.journal.writer import Writer
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored

_SEED = uuid.UUID(int=18)


def predicted(
    engine: Engine,
    model: ServedModel,
    records: Sequence[dict[str, Any]],
    at: datetime,
    pseudonym: Pseudonym | None = None,
) -> list[Scored]:
    """Write a batch of predictions of a moment, and return them."""
    scorer = Scorer(model)
    scored = [
        replace(scorer.score_record(record), id=repeatable_id(at, _SEED, f"{at}", number))
        for number, record in enumerate(records)
    ]
    call = Call(
        id=repeatable_id(at, _SEED, "call", 0),
        received_at=at,
        method="POST",
        route="/predict_batch",
        caller=Caller("token", uuid.UUID(int=7), "tests"),
        answered_at=at + timedelta(milliseconds=5),
        status=200,
        duration_ms=5.0,
        body=orjson.dumps([{}] * len(scored)),
        scored=scored,
        model=model.tag,
    )
    with closing(Writer(engine)) as writer:
        writer.write([entry_of(call, pseudonym)])
    return scored


def days_ago(days: int) -> datetime:
    """Return the noon of a day before today."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days)
