"""The model's report and model card, in French and English, drawn from what the model store keeps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jinja2 import UndefinedError

from churn.core.errors import ModelError
from churn.core.language import Language
from churn.core.templates import templates_of
from churn.dictionary.dictionary import Dictionary
from churn.i18n import four_fifths, limits, terms
from churn.i18n.formatting import Locale
from churn.report import front_matter, law, notes, readings

CARDS: dict[Language, str] = {"en": "MODEL_CARD.md", "fr": "MODEL_CARD.fr.md"}

_TEMPLATES = templates_of("churn.report", keep_trailing_newline=True)


def render_cards(facts: Mapping[str, Any], dictionary: Dictionary) -> dict[str, str]:
    """Return the model cards by file name, one in each language; `facts` are those of `pages.render`.

    Raises:
        ModelError: a fact is missing, as from a model of another version of churn.
    """
    with complete():
        return {name: _card(facts, Locale(language, dictionary)) for language, name in CARDS.items()}


@contextmanager
def complete() -> Iterator[None]:
    """Say what to do where a fact is missing; raises ModelError."""
    try:
        yield
    except (KeyError, UndefinedError) as error:
        raise ModelError(
            f"the model's facts lack {error}: it was exported by another version of churn; "
            "train it again with `churn train`"
        ) from error


def _card(facts: Mapping[str, Any], locale: Locale) -> str:
    return front_matter.front_matter(facts) + write("MODEL_CARD.md.j2", facts, locale)


def write(template: str, facts: Mapping[str, Any], locale: Locale, **more: object) -> str:
    """Return a template's text, in the language of `locale`."""
    return _TEMPLATES.get_template(template).render(
        facts=facts,
        v=locale,
        say=locale.say,
        terms=terms,
        notes=notes,
        readings=readings,
        four_fifths=four_fifths,
        fields=locale.dictionary.by_name,
        laws=law.laws(facts, locale),
        limits=limits.limits(locale, facts),
        warnings=limits.warnings(facts, locale),
        created=facts["created_at"].replace("T", " ").replace("+00:00", " UTC"),
        rate=facts["n_departures"] / facts["n_rows"],
        **more,
    )
