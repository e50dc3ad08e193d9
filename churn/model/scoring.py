"""From employee records to predictions: the one path that every caller takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from churn.core.ids import new_id
from churn.dictionary import domain
from churn.dictionary.domain import Language
from churn.i18n import messages
from churn.model.registry import ServedModel
from churn.schemas.employee import Employee
from churn.schemas.prediction import Scored
from churn.schemas.responses import OTHER, Prediction, Value

_PROTECTED = frozenset(field.name for field in domain.PROTECTED)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores employees with one model of the store."""

    model: ServedModel

    def score(self, employees: Sequence[Employee]) -> list[Scored]:
        """Return the risk of each employee, in order, with what the model saw and why.

        The base value and the contributions are log-odds and add up to the logit of the probability.
        """
        return [self.score_record(employee.record(), employee.guessed) for employee in employees]

    def score_record(self, record: Mapping[str, object], guessed: frozenset[str] = frozenset()) -> Scored:
        """Return the risk of one employee whose record is cleaned, as `Employee.record` returns it."""
        contributions = self.model.scorecard.contributions(record)
        probability = self.model.scorecard.probability(contributions)
        return Scored(
            id=new_id(),
            record=record,
            values={name: record[name] for name in contributions},
            base_value=self.model.scorecard.base_value,
            contributions=contributions,
            model=self.model.tag,
            prediction=int(probability >= self.model.threshold),
            probability=probability,
            threshold=self.model.threshold,
            guessed=guessed,
        )

    def answer(self, scored: Scored, language: Language) -> Prediction:
        """Return what the caller reads of one scored employee."""
        # As one document: pydantic makes the two dozen reasons of it without coming back for each.
        return Prediction.model_validate(self.document(scored, language))

    def document(self, scored: Scored, language: Language) -> dict[str, Any]:
        """Return the same as plain values, ready for JSON: a `Prediction` as it is sent."""
        return {
            "prediction": scored.prediction,
            "probability": scored.probability,
            "band": domain.risk_band(scored.probability, scored.threshold),
            "message": messages.verdict(bool(scored.prediction), language),
            "prediction_id": scored.id,
            "model": scored.model,
            "threshold": scored.threshold,
            "base_value": scored.base_value,
            "reasons": _reasons(scored, language),
            "unknown": [name for name, value in scored.values.items() if value is None],
            "warnings": [
                *(_guessed(scored, language) if scored.guessed else ()),
                *_out_of_range(self.model, scored, language),
                *_implausible(scored, language),
            ],
        }


def _reasons(scored: Scored, language: Language) -> list[dict[str, Any]]:
    """Return what may be told of a prediction, the largest contribution first.

    A model may take protected fields. They then move the risk, but none of them may be a reason: what
    the known ones add is told in sum, under `OTHER` and without a value.
    """
    contributions = scored.contributions
    told: list[tuple[float, str, Any]] = []
    hidden: list[float] = []
    for name, value in scored.values.items():
        if value is None:
            continue
        if name in _PROTECTED:
            hidden.append(contributions[name])
        else:
            told.append((contributions[name], name, value))
    if hidden:
        told.append((math.fsum(hidden), OTHER, None))
    told.sort(key=_size)
    return [
        {
            "field": name,
            "value": value,
            "contribution": part,
            "text": _text(name, value, part > 0 if part else None, language),
        }
        for part, name, value in told
    ]


def _size(told: tuple[float, str, Any]) -> float:
    return -abs(told[0])


# Most employees share most of their sentences, and making one takes longer than scoring its field.
@lru_cache(maxsize=8192)
def _text(name: str, value: Value | None, raises: bool | None, language: Language) -> str:
    sign = 0 if raises is None else 1 if raises else -1
    return messages.reason(domain.BY_NAME.get(name), value, sign, language)


def _guessed(scored: Scored, language: Language) -> list[str]:
    return [
        messages.guessed(domain.BY_NAME[name], scored.record[name], language)
        for name in sorted(scored.guessed)
    ]


def _out_of_range(model: ServedModel, scored: Scored, language: Language) -> list[str]:
    return [
        messages.out_of_range(domain.BY_NAME[name], value, seen, language)
        for name, seen in model.seen.items()
        if isinstance(value := scored.record[name], int | float) and not seen[0] <= value <= seen[1]
    ]


def _implausible(scored: Scored, language: Language) -> list[str]:
    found = []
    for smaller, larger, margin in domain.IMPLAUSIBLE:
        low, high = scored.record[smaller], scored.record[larger]
        if isinstance(low, int | float) and isinstance(high, int | float) and low + margin > high:
            found.append(messages.implausible(domain.BY_NAME[smaller], domain.BY_NAME[larger], language))
    return found
