"""From employee records to predictions: the one path that every caller takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from churn import domain, phrases
from churn.domain import Language
from churn.registry import ServedModel
from churn.schemas import Employee, Prediction, Reason
from churn.storage.ids import new_id
from churn.storage.journal import Scored


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


def _reasons(scored: Scored, language: Language) -> list[Reason]:
    known = [(name, value) for name, value in scored.values.items() if value is not None]
    known.sort(key=lambda item: -abs(scored.contributions[item[0]]))
    return [
        Reason(
            field=name,
            value=value,
            contribution=scored.contributions[name],
            text=phrases.reason(domain.BY_NAME[name], value, scored.contributions[name], language),
        )
        for name, value in known
        if isinstance(value, str | int | float)
    ]


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
