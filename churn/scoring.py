"""From employee records to predictions: the one path that every caller takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from churn import domain, phrases
from churn.answers import OTHER, Prediction, Reason, Value
from churn.domain import Language
from churn.registry import ServedModel
from churn.schemas import Employee
from churn.storage.ids import new_id
from churn.storage.journal import Scored

_PROTECTED = frozenset(field.name for field in domain.PROTECTED)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores employees with one model of the store."""

    model: ServedModel

    def score(self, employees: Sequence[Employee]) -> list[Scored]:
        """Return the risk of each employee, in order, with what the model saw and why.

        The base value and the contributions are log-odds and add up to the logit of the probability.
        """
        return [self._score(employee.record()) for employee in employees]

    def _score(self, record: Mapping[str, object]) -> Scored:
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
        )

    def answer(self, scored: Scored, language: Language) -> Prediction:
        """Return what the caller reads of one scored employee."""
        return Prediction(
            prediction=1 if scored.prediction else 0,
            probability=scored.probability,
            band=domain.risk_band(scored.probability, scored.threshold),
            message=phrases.verdict(bool(scored.prediction), language),
            prediction_id=scored.id,
            model=scored.model,
            threshold=scored.threshold,
            base_value=scored.base_value,
            reasons=_reasons(scored, language),
            unknown=[name for name, value in scored.values.items() if value is None],
            warnings=[*_out_of_range(self.model, scored, language), *_implausible(scored, language)],
        )


class Part(NamedTuple):
    """One input's cleaned value and what it adds to the risk, in log-odds."""

    value: Value | None
    contribution: float


def disclosed(scored: Scored) -> dict[str, Part]:
    """Return what may be told of a prediction by field; the contributions are all of it, in log-odds.

    A model may take protected fields. They then move the risk, but none of them may be a reason: what
    the known ones add is told in sum, under `OTHER` and without a value.
    """
    parts = {
        name: Part(value if isinstance(value, (str, float, int)) else None, scored.contributions[name])
        for name, value in scored.values.items()
        if name not in _PROTECTED
    }
    hidden = [scored.contributions[name] for name in _PROTECTED if scored.values.get(name) is not None]
    return {**parts, OTHER: Part(None, math.fsum(hidden))} if hidden else parts


def _reasons(scored: Scored, language: Language) -> list[Reason]:
    told = [(n, part) for n, part in disclosed(scored).items() if part.value is not None or n == OTHER]
    told.sort(key=lambda item: -abs(item[1].contribution))
    return [_reason(name, part.value, part.contribution, language) for name, part in told]


# Most employees share most of their reasons, and making one takes longer than scoring its field. Typed:
# 3 and 3.0 are one key otherwise, and the answer repeats the value as it was given.
@lru_cache(maxsize=4096, typed=True)
def _reason(name: str, value: Value | None, contribution: float, language: Language) -> Reason:
    text = phrases.reason(domain.BY_NAME.get(name), value, contribution, language)
    return Reason(field=name, value=value, contribution=contribution, text=text)


def _out_of_range(model: ServedModel, scored: Scored, language: Language) -> list[str]:
    return [
        phrases.out_of_range(domain.BY_NAME[name], value, seen, language)
        for name, seen in model.seen.items()
        if isinstance(value := scored.record[name], int | float) and not seen[0] <= value <= seen[1]
    ]


def _implausible(scored: Scored, language: Language) -> list[str]:
    found = []
    for smaller, larger, margin in domain.IMPLAUSIBLE:
        low, high = scored.record[smaller], scored.record[larger]
        if isinstance(low, int | float) and isinstance(high, int | float) and low + margin > high:
            found.append(phrases.implausible(domain.BY_NAME[smaller], domain.BY_NAME[larger], language))
    return found
