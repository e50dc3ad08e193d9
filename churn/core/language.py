"""The languages that people are spoken to in."""

from typing import Literal, Self, get_args

Language = Literal["fr", "en"]
Pair = tuple[str, str]  # one text in each language, French first

LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "fr"


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
