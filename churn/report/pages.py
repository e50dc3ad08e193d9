"""The report: one HTML page in each language, with its charts."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from churn.core.language import LANGUAGES, Language
from churn.dictionary.dictionary import Dictionary
from churn.i18n.formatting import Locale
from churn.model import effects, pair_effects, scorecard
from churn.report import charts, complete, pair_panels, panels, render_cards, write


def render(facts: Mapping[str, Any], dictionary: Dictionary) -> dict[str, str]:
    """Return the documents' text by file name: the report as HTML and the model card, in each language.

    `facts` are `TrainingReport.to_dict()` with `tag`, `created_at`, `data_fingerprint`, `sample`,
    `library_versions` and `scorecard`. The same facts give the same documents. Draws for seconds.

    Raises:
        ModelError: a fact is missing, as from a model of another version of churn.
    """
    with complete():
        pages = {f"report.{language}.html": _page(facts, language, dictionary) for language in LANGUAGES}
    return pages | render_cards(facts, dictionary)


def _page(facts: Mapping[str, Any], language: Language, dictionary: Dictionary) -> str:
    plain = Locale(language, dictionary)
    card = scorecard.from_dict(facts["scorecard"])
    field_effects = effects.read(card, facts["summaries"], dictionary)
    return write(
        "report.html.j2",
        facts,
        Locale(language, dictionary, Markup),
        effects=field_effects,
        charts=charts.draw(facts, plain),
        panels=panels.draw(field_effects, plain),
        pairs=pair_panels.draw(pair_effects.read(card, facts["summaries"], dictionary), plain),
        cell=pair_panels.cell,
        chosen=_chosen(facts),
        shares=effects.shares(card),
    )


def _chosen(facts: Mapping[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """Return the candidates that the folds chose and how often, the most frequent first."""
    counted = Counter(json.dumps(candidate, sort_keys=True) for candidate in facts["chosen"])
    return [(json.loads(candidate), n) for candidate, n in counted.most_common()]
