"""From employee records to predictions: the one path that every caller takes."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from churn.core.ids import new_id
from churn.core.language import Language
from churn.i18n import messages
from churn.model.registry import ServedModel
from churn.schemas.bands import risk_band
from churn.schemas.employee import Employee
from churn.schemas.prediction import Scored
from churn.schemas.responses import OTHER, Prediction, Value

_NEGATED_SIZE = itemgetter(0)


def ranked(
    values: Mapping[str, Any], contributions: Mapping[str, float], protected: Collection[str]
) -> list[tuple[float, str, Any, float]]:
    """Return the reasons of a prediction, the largest first: its negated size, field, value, contribution.

    A model may take protected fields. They then move the risk, but none of them may be a reason: the sum of
    the known ones is given under `OTHER`, without a value.
    """
    reasons: list[tuple[float, str, Any, float]] = []
    hidden: list[float] = []
    for name, value in values.items():
        if value is None:
            continue
        part = contributions[name]
        if name in protected:
            hidden.append(part)
        else:
            reasons.append((-abs(part), name, value, part))
    if hidden:
        part = math.fsum(hidden)
        reasons.append((-abs(part), OTHER, None, part))
    reasons.sort(key=_NEGATED_SIZE)
    return reasons


class Scorer:
    """Scores employees with one model of the store."""

    def __init__(self, model: ServedModel) -> None:
        self.model = model
        self._fields = fields = model.dictionary.by_name
        self._protected = frozenset(field.name for field in model.dictionary.protected)
        self._implausible = [
            (fields[smaller], fields[larger], margin)
            for smaller, larger, margin in model.dictionary.implausible
        ]
        # Most employees share most of their sentences, and making one takes longer than scoring its field.
        self._text = lru_cache(maxsize=8192)(self._make_text)

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
        """Return what the caller reads about one scored employee."""
        # As one document: pydantic makes the two dozen reasons of it without coming back for each.
        return Prediction.model_validate(self.document(scored, language))

    def document(self, scored: Scored, language: Language) -> dict[str, Any]:
        """Return the same as plain values, ready for JSON: a `Prediction` as it is sent."""
        return {
            "prediction": scored.prediction,
            "probability": scored.probability,
            "band": risk_band(scored.probability, scored.threshold),
            "message": messages.verdict(bool(scored.prediction), language),
            "prediction_id": scored.id,
            "model": scored.model,
            "threshold": scored.threshold,
            "base_value": scored.base_value,
            "reasons": self._reasons(scored, language),
            "unknown": [name for name, value in scored.values.items() if value is None],
            "warnings": [
                *(self._guessed(scored, language) if scored.guessed else ()),
                *self._out_of_range(scored, language),
                *self._implausible_pairs(scored, language),
            ],
        }

    def _reasons(self, scored: Scored, language: Language) -> list[dict[str, Any]]:
        """Return the reasons of a prediction, the largest contribution first, each with its sentence."""
        text = self._text
        return [
            {
                "field": name,
                "value": value,
                "contribution": part,
                "text": text(name, value, part > 0 if part else None, language),
            }
            for _, name, value, part in ranked(scored.values, scored.contributions, self._protected)
        ]

    def _make_text(self, name: str, value: Value | None, raises: bool | None, language: Language) -> str:
        sign = 0 if raises is None else 1 if raises else -1
        return messages.reason(self._fields.get(name), value, sign, language)

    def _guessed(self, scored: Scored, language: Language) -> list[str]:
        return [
            messages.guessed(self._fields[name], scored.record[name], language)
            for name in sorted(scored.guessed)
        ]

    def _out_of_range(self, scored: Scored, language: Language) -> list[str]:
        return [
            messages.out_of_range(self._fields[name], value, seen, language)
            for name, seen in self.model.seen.items()
            if isinstance(value := scored.record[name], int | float) and not seen[0] <= value <= seen[1]
        ]

    def _implausible_pairs(self, scored: Scored, language: Language) -> list[str]:
        sentences = []
        for smaller, larger, margin in self._implausible:
            low, high = scored.record[smaller.name], scored.record[larger.name]
            if isinstance(low, int | float) and isinstance(high, int | float) and low + margin > high:
                sentences.append(messages.implausible(smaller, larger, language))
        return sentences
