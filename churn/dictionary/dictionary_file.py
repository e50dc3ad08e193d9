"""A dictionary that somebody wrote, as a TOML file: read, and everything that is wrong in it said at once."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from churn.core.errors import DictionaryError
from churn.dictionary import embedded_files
from churn.dictionary.contradictions import Finding, contradictions
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.file_schema import (
    DictionaryFile,
    FileExamples,
    FileField,
    FileLearned,
    FileLever,
    FilePair,
    FileSource,
)
from churn.dictionary.plain_dictionary import FORMAT, from_document, is_newer
from churn.dictionary.toml_lines import TomlLines

LARGEST = 1_000_000  # bytes
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def find(name_or_path: str) -> Dictionary:
    """Return the embedded dictionary of this name, or else that of this file.

    Raises:
        DictionaryError: there is neither, or the file cannot be used.
    """
    if name_or_path in embedded_files.NAMES:
        return embedded_files.load(name_or_path)
    path = Path(name_or_path)
    if not path.suffix and not path.exists():
        raise DictionaryError(
            f"no dictionary {name_or_path!r}: expected {' or '.join(embedded_files.NAMES)}, or a file.toml"
        )
    return read(path)


def read(path: Path) -> Dictionary:
    """Return the dictionary of a file.

    Raises:
        DictionaryError: it cannot be read, or something is wrong in it; every problem is listed, each with
            its line and how to mend it.
    """
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, sentence = _syntax(str(error), text)
        raise _refusal(path, [(line, sentence)]) from None
    except RecursionError:
        raise _refusal(path, [(1, "lists stand in lists too deeply: no key needs that")]) from None
    lines = TomlLines(text)
    if found := list(_findings(document)):
        problems = {(lines.line_of(place), _named(place) + sentence) for place, sentence in found}
        raise _refusal(path, sorted(problems))
    return from_document(document)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DictionaryError(f"{path} cannot be read ({error.strerror})") from error
    if len(raw) > LARGEST:
        raise DictionaryError(f"{path} has {len(raw)} bytes: a dictionary has at most {LARGEST}")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refusal(path, [(line, "this is no text in UTF-8: save the file in that encoding")]) from None


def _syntax(message: str, text: str) -> tuple[int, str]:
    """Return the line of a mistake in the TOML itself, and what to do."""
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    what = _PLACE.sub("", message)
    advice = "write each table and each key only once" if "twice" in what or "overwrite" in what else ""
    advice = advice or 'texts stand in "quotes", lists in [brackets], and each key on a line of its own'
    return line, f"this is not TOML ({what}): {advice}"


def _findings(document: Mapping[str, Any]) -> Sequence[Finding]:
    """Return what is wrong in a document: first what any key holds, and then what contradicts what."""
    if is_newer(document):
        return [
            (("format",), f"{document['format']} is newer than this version of churn, which reads {FORMAT}: "
             "install a newer churn")
        ]  # fmt: skip
    try:
        DictionaryFile.model_validate(document)
    except ValidationError as error:
        return [_finding(detail, document) for detail in error.errors()]
    return list(contradictions(document))


def _finding(error: ErrorDetails, document: Mapping[str, Any]) -> Finding:
    """Return where a key is wrong, and what was expected of it."""
    place = _within(error["loc"], document)
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = _keys_beside(place)
            close = difflib.get_close_matches(str(place[-1]), known, 1)
            meant = f"{close[0]!r} is meant, or one" if close else "expected one"
            return place, f"there is no such key: {meant} of {', '.join(known)}"
        case "missing":
            return place, f"{error['loc'][-1]!r} is missing: add it here"
        case "literal_error":
            return place, f"expected {context['expected']}"
        case "string_pattern_mismatch" if place[-1:] == ("name",):
            return place, "expected up to 40 small letters, digits, _ and -"
        case "string_pattern_mismatch":
            return place, "expected languages by their codes, as in { fr = …, en = … }"
        case kind:
            return place, _EXPECTED.get(kind) or error["msg"].replace("Input should", "this should")


_EXPECTED = {
    "string_type": 'expected a text in "quotes"',
    "list_type": "expected a list in [brackets]",
    "dict_type": "expected a table, as in { fr = …, en = … }",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "bool_type": "expected true or false, without quotes",
    "int_type": "expected a whole number, without quotes",
    "float_type": "expected a number, without quotes",
    "date_type": "expected a day, as in 2026-12-31, without quotes",
    "string_too_short": "this is empty: write it, or leave the key out",
    "too_short": "there is too little here: a field at least, and two ends of a range",
    "too_long": "there is too much here: a range has two ends",
}


def _within(loc: Sequence[str | int], document: Any) -> tuple[str | int, ...]:
    """Return the part of a place that is one in the document: pydantic adds words of its own."""
    place: list[str | int] = []
    for key in loc:
        if isinstance(document, str):
            break
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            break
        place.append(key)
    return tuple(place)


def _keys_beside(place: Sequence[str | int]) -> list[str]:
    """Return the keys that may stand where an unknown one does."""
    match place[:-1]:
        case ("fields", _, _):
            table: type[BaseModel] = FileLearned
        case ("fields" | "sources" | "levers" | "implausible" as group, _):
            table = _TABLES[group]
        case ("examples",):
            table = FileExamples
        case _:
            table = DictionaryFile
    return list(table.model_fields)


_TABLES: Mapping[str, type[BaseModel]] = {
    "fields": FileField,
    "sources": FileSource,
    "levers": FileLever,
    "implausible": FilePair,
}


def _named(place: Sequence[str | int]) -> str:
    """Return the name of a place, before a colon."""
    parts = (f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in place)
    name = "".join(parts).removeprefix(".")
    return f"{name}: " if name else ""


def _refusal(path: Path, problems: Sequence[tuple[int, str]]) -> DictionaryError:
    count = len(problems)
    listed = "".join(f"\n  {path.name}:{line}: {sentence}" for line, sentence in problems)
    return DictionaryError(f"{count} problem{'s' * (count != 1)} in the dictionary:{listed}")
