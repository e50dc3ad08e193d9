"""How a language writes a moment."""

from datetime import UTC, datetime

from churn.core.language import Language

_MONTHS = {
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


def moment(value: datetime, language: Language) -> str:
    """Return a moment to the minute, in UTC: where that is read, it has to be said."""
    at = value.astimezone(UTC)
    return f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}, {at:%H:%M}"
