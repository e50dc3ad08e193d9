"""What would change a risk: two predictions compared, and the smallest single changes that suffice."""

import math
from collections.abc import Iterable

from churn.core.language import Language
from churn.dictionary.field import Lever
from churn.i18n import messages
from churn.i18n.messages import Outcome
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from churn.schemas.prediction import Scored
from churn.schemas.responses import OTHER, Difference, FieldDifference, Suggestion, Value, WhatIfAnswer


def compare(scorer: Scorer, before: Scored, after: Scored, language: Language) -> WhatIfAnswer:
    """Return what changes do to one employee's risk, and which single further change would suffice."""
    suggestions = suggest(scorer.model, after, language)
    return WhatIfAnswer(
        before=scorer.answer(before, language),
        after=scorer.answer(after, language),
        difference=_difference(scorer.model, before, after),
        suggestions=suggestions,
        message=messages.outcome(_outcome(before, after, suggestions), language),
    )


def suggest(model: ServedModel, scored: Scored, language: Language) -> list[Suggestion]:
    """Return, for each actionable field where there is one, its smallest change that suffices.

    Alone, it takes the probability below the model's threshold; none is needed where that is so already.
    In the order of the dictionary's levers: a day's remote work and a pay rise have no common measure to
    sort them by.
    """
    if not scored.prediction:
        return []
    suggestions = (_smallest(model, scored, name, language) for name in model.dictionary.levers)
    return [suggestion for suggestion in suggestions if suggestion is not None]


def _smallest(model: ServedModel, scored: Scored, name: str, language: Language) -> Suggestion | None:
    old, field, lever = scored.values.get(name), model.dictionary.by_name[name], model.dictionary.levers[name]
    if not isinstance(old, str | int | float):
        return None  # unknown, or not an input of the model
    card = model.scorecard
    for new in _allowed(model, name, lever, old):
        # All the way: a curve may rise before it falls, so the search cannot be halved.
        probability = card.probability(card.contributions({**scored.values, name: new}))
        if probability < model.threshold:
            text = messages.suggestion(field, lever, (old, new), probability, language)
            return Suggestion(**{"from": old}, field=name, to=new, probability=probability, text=text)
    return None


def _allowed(model: ServedModel, name: str, lever: Lever, value: Value) -> Iterable[Value]:
    """Return every value that a field may be moved to, the nearest first; none that training lacked."""
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


def _difference(model: ServedModel, before: Scored, after: Scored) -> Difference:
    card = model.scorecard
    changes = card.changes(before.values, after.values)
    changed = [name for name in changes if before.values[name] != after.values[name]]
    shown = [name for name in changed if model.dictionary.by_name[name].role != "protected"]
    fields = [
        FieldDifference(
            field=name, before=_value(before, name), after=_value(after, name), change=changes[name]
        )
        for name in shown
    ]
    if len(shown) < len(changed):
        hidden = math.fsum(changes[name] for name in set(changed) - set(shown))
        fields.append(FieldDifference(field=OTHER, before=None, after=None, change=hidden))
    return Difference(
        probability=after.probability - before.probability,
        log_odds=math.fsum(changes.values()),
        fields=sorted(fields, key=lambda field: -abs(field.change)),
    )


def _value(scored: Scored, name: str) -> Value | None:
    value = scored.values[name]
    return value if isinstance(value, str | int | float) else None


def _outcome(before: Scored, after: Scored, suggestions: list[Suggestion]) -> Outcome:
    if after.prediction:
        return "suggested" if suggestions else "none"
    if before.prediction:
        return "lowered"
    return "low" if before.record == after.record else "still_low"
