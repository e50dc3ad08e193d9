"""A drafted dictionary as the text of a TOML file, with what is to be checked beside each field."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from churn.drafting.draft import Draft

WIDTH = 100


def toml_text(draft: Draft) -> str:
    """Return the file's text."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    yield f"# Drafted from {', '.join(draft.files)}. Read it, change what is wrong, and check it by"
    yield "# `churn dictionary check`. What is to be looked at begins with CHECK."
    yield "format = 1"
    yield f"name = {_value(draft.name)}"
    yield f"audited = {_value(list(draft.audited))}"
    for name, source in draft.sources.items():
        yield ""
        yield f"[sources.{name}]"
        yield from _pairs(source)
    for field in draft.fields:
        yield ""
        yield f"[fields.{field.name}]"
        for remark in field.why:
            yield from _comment(remark)
        for remark in field.doubts:
            yield from _comment(f"CHECK: {remark}")
        yield from _pairs(field.entry)
    for name, example in draft.examples.items():
        yield ""
        yield "# Made up: the middle of each field."
        yield f"[examples.{name}]"
        yield from _pairs(example)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{key} = {_value(value)}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_]+", name) else str(_value(name))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_value(entry)}" for key, entry in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    # What JSON writes is TOML, too, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
