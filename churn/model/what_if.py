"""What would change a risk: two predictions compared, and the smallest single changes that suffice."""

import math
from collections.abc import Iterable

from churn.dictionary import domain
from churn.dictionary.domain import Language, Lever
from churn.i18n import messages
from churn.i18n.messages import Outcome
from churn.model.registry import ServedModel
from churn.model.scorecard import Scorecard
from churn.model.scoring import Scorer
from churn.schemas.prediction import Scored
from churn.schemas.responses import OTHER, Difference, FieldDifference, Suggestion, Value, WhatIfAnswer


def compare(scorer: Scorer, before: Scored, after: Scored, language: Language) -> WhatIfAnswer:
    """Return what changes do to one employee's risk, and which single further change would suffice."""
    suggestions = suggest(scorer.model, after, language)
    return WhatIfAnswer(
        before=scorer.answer(before, language),
        after=scorer.answer(after, language),
        difference=_difference(scorer.model.scorecard, before, after),
        suggestions=suggestions,
        message=messages.outcome(_outcome(before, after, suggestions), language),
    )


def suggest(model: ServedModel, scored: Scored, language: Language) -> list[Suggestion]:
    """Return, for each actionable field where there is one, its smallest change that suffices.

    Alone, it takes the probability below the model's threshold; none is needed where that is so already.
    In the order of `domain.LEVERS`: a day's remote work and a pay rise have no common measure to sort
    them by.
    """
    if not scored.prediction:
        return []
    found = (_smallest(model, scored, name, language) for name in domain.LEVERS)
    return [suggestion for suggestion in found if suggestion is not None]


def _smallest(model: ServedModel, scored: Scored, name: str, language: Language) -> Suggestion | None:
    old, lever = scored.values.get(name), domain.LEVERS[name]
    if not isinstance(old, str | int | float):
        return None  # unknown, or not an input of the model
    card, effects = model.scorecard, model.scorecard.effects_of(scored.values)
    for new in _allowed(model, name, old):
        # All the way: a curve may rise before it falls, so the search cannot be halved.
        changed = card.calibrated({**effects, name: card.effect_of(name, new)})
        probability = card.probability(changed)
        if probability < model.threshold:
            text = messages.suggestion(domain.BY_NAME[name], lever, (old, new), probability, language)
            return Suggestion(**{"from": old}, field=name, to=new, probability=probability, text=text)
    return None


def _allowed(model: ServedModel, name: str, value: Value) -> Iterable[Value]:
    """Return every value that a field may be moved to, the nearest first; none that training lacked."""
    lever = domain.LEVERS[name]
    if isinstance(value, str):
        # A category that no row has taught contributes nothing at all.
        further = lever.order[lever.order.index(value) + 1 :] if value in lever.order else ()
        return [c for c in further if model.scorecard.effect_of(name, c) != 0]
    if name not in model.seen:
        return []
    low, high = model.seen[name]
    if lever.reset is not None:
        return [lever.reset] if low <= lever.reset <= high else []
    return _steps(lever, value, low, high)


def _steps(lever: Lever, value: float, low: float, high: float) -> list[float]:
    high = min(high, value * lever.factor)
    near, far = (low, high) if lever.step > 0 else (high, low)
    # Counted, not walked: a value may lie any way outside what training has seen.
    first = max(1, math.floor((near - value) / lever.step))
    last = math.ceil((far - value) / lever.step)
    steps = (round(value + n * lever.step, 9) for n in range(first, last + 1))
    return [step for step in steps if low <= step <= high]


def _difference(card: Scorecard, before: Scored, after: Scored) -> Difference:
    changes = card.changes(card.effects_of(before.values), card.effects_of(after.values))
    moved = [name for name in changes if before.values[name] != after.values[name]]
    told = [name for name in moved if domain.BY_NAME[name].role != "protected"]
    fields = [
        FieldDifference(
            field=name, before=_told(before, name), after=_told(after, name), change=changes[name]
        )
        for name in told
    ]
    if len(told) < len(moved):
        hidden = math.fsum(changes[name] for name in set(moved) - set(told))
        fields.append(FieldDifference(field=OTHER, before=None, after=None, change=hidden))
    return Difference(
        probability=after.probability - before.probability,
        log_odds=math.fsum(changes.values()),
        fields=sorted(fields, key=lambda field: -abs(field.change)),
    )


def _told(scored: Scored, name: str) -> Value | None:
    value = scored.values[name]
    return value if isinstance(value, str | int | float) else None


def _outcome(before: Scored, after: Scored, suggestions: list[Suggestion]) -> Outcome:
    if after.prediction:
        return "suggested" if suggestions else "none"
    if before.prediction:
        return "lowered"
    return "low" if before.record == after.record else "still_low"
