"""The languages that people are spoken to in."""

from typing import Literal, get_args

Language = Literal["fr", "en"]
Pair = tuple[str, str]  # one text in each language, French first

LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "fr"
