"""How a language writes a number."""

from churn.core.language import Language


def number(value: float, language: Language, digits: int | None = None, *, space: str = " ") -> str:
    """Return a number with its thousands apart, and with this many decimals; by default at most two.

    `space` parts thousands in French.
    """
    size = abs(value)
    if digits is not None:
        text = f"{size:,.{digits}f}"
    elif isinstance(size, int):  # not by a format for floats: the largest identifier has more digits
        text = f"{size:,}"
    else:
        text = f"{round(size, 2):,.15g}"
    sign = "−" if value < 0 and text.strip("0.") else ""
    return sign + (text.translate({ord(","): space, ord("."): ","}) if language == "fr" else text)


def percent(share: float, language: Language, digits: int = 0, *, space: str = " ") -> str:
    """Return a share as a percentage."""
    return number(100 * share, language, digits, space=space) + (f"{space}%" if language == "fr" else "%")
