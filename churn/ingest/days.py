"""Days as people write them in files."""

from collections.abc import Collection
from datetime import date, datetime

from churn.dictionary.field import ISO_DATE

DATE_FORMATS = (
    ISO_DATE,
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y"),
)
_YEARS = (1900, 2100)  # of dates that anybody means


def day_of(text: str, form: str) -> date | None:
    """Return the day that a text is by a format of `datetime.strptime`; None where it is none."""
    try:
        # Spreadsheets and databases write the time of day behind it.
        day = datetime.strptime(text[:10] if form == ISO_DATE else text, form).date()
    except ValueError:
        return None
    return day if _YEARS[0] <= day.year < _YEARS[1] else None


def formats_of(texts: Collection[str]) -> tuple[str, ...]:
    """Return every format by which all texts are days, of those that read them alike the first."""
    readings: dict[tuple[date | None, ...], str] = {}
    for form in DATE_FORMATS:
        days = tuple(day_of(text, form) for text in texts)
        if None not in days:
            readings.setdefault(days, form)
    return tuple(readings.values())
