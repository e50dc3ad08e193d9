"""The languages that people are spoken to in."""

import re
from typing import Literal, Self, get_args

Language = Literal["fr", "en"]
Pair = tuple[str, str]  # one text in each language, French first

LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "fr"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

_PUNCTUATED = re.compile(r" (?=[:;?!%»])|(?<=«) ")


class Bilingual(str):
    """A text in English, as consoles and logs have it, that has its French with it."""

    french: str

    def __new__(cls, french: str, english: str) -> Self:
        """Return the text."""
        text = super().__new__(cls, english)
        text.french = french
        return text

    def __getnewargs__(self) -> Pair:  # type: ignore[override]
        return self.french, str(self)


def pair_of(text: str) -> Pair:
    """Return a text in each language; one that knows only English is the same in both."""
    return (text.french if isinstance(text, Bilingual) else text), str(text)


def unbroken(text: str, space: str = NO_BREAK_SPACE) -> str:
    """Return a text whose French punctuation stays on the line of its word; English has no space there."""
    return _PUNCTUATED.sub(space, text)
