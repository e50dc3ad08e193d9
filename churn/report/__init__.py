"""The model's report and model card, in French and English, drawn from what the model store keeps."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError, select_autoescape
from markupsafe import Markup

from churn import domain
from churn.domain import Language
from churn.errors import ModelError
from churn.report import card, charts, effects, law, notes, panels, readings, words
from churn.report.voice import Voice

LANGUAGES: tuple[Language, ...] = ("fr", "en")
CARDS: dict[Language, str] = {"en": "MODEL_CARD.md", "fr": "MODEL_CARD.fr.md"}

_TEMPLATES = Environment(
    loader=PackageLoader("churn.report"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the documents' text by file name: the report as HTML and the model card, in each language.

    `facts` are `TrainingReport.to_dict()` with `tag`, `created_at`, `data_fingerprint`, `sample`,
    `library_versions` and `scorecard`. The same facts give the same documents.

    Raises:
        ModelError: a fact is missing, as from a model of another version of churn.
    """
    try:
        pages = {f"report.{language}.html": _page(facts, language) for language in LANGUAGES}
        return pages | {name: _card(facts, language) for language, name in CARDS.items()}
    except (KeyError, UndefinedError) as error:
        raise ModelError(
            f"the model's facts lack {error}: it was exported by another version of churn; "
            "train it again with `churn train`"
        ) from error


def _page(facts: Mapping[str, Any], language: Language) -> str:
    plain = Voice(language)
    found = effects.read(facts)
    return _write(
        "report.html.j2",
        facts,
        Voice(language, Markup),
        effects=found,
        charts=charts.draw(facts, plain),
        panels=panels.draw(found, plain),
        chosen=_chosen(facts),
        shares=effects.shares(facts),
    )


def _card(facts: Mapping[str, Any], language: Language) -> str:
    return card.front_matter(facts) + _write("MODEL_CARD.md.j2", facts, Voice(language))


def _write(template: str, facts: Mapping[str, Any], voice: Voice, **more: object) -> str:
    return _TEMPLATES.get_template(template).render(
        facts=facts,
        v=voice,
        say=voice.say,
        words=words,
        notes=notes,
        readings=readings,
        domain=domain.BY_NAME,
        bands=domain.BANDS,
        laws=law.laws(facts, voice),
        protected=notes.with_protected(facts),
        created=facts["created_at"].replace("T", " ").replace("+00:00", " UTC"),
        rate=facts["n_departures"] / facts["n_rows"],
        **more,
    )


def _chosen(facts: Mapping[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """Return the candidates that the folds chose and how often, the most frequent first."""
    counted = Counter(tuple(sorted(one.items())) for one in facts["chosen"])
    return [(dict(candidate), n) for candidate, n in counted.most_common()]
