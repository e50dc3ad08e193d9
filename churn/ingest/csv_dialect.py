"""How a CSV file is written: its delimiter, and where its header is."""

import codecs
import csv
import io
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from churn.dictionary.dictionary import Dictionary
from churn.ingest.text_encoding import encoding_of
from churn.ingest.title_rows import first_header

DELIMITERS = (",", ";", "\t", "|")
LONGEST_HEADER = 1 << 20  # bytes, with what is above it
_SEARCHED = 20  # records that may be the header: titles may stand above it
_COMPARED = 5  # rows that show how many values a row has
_KNOWN = 2  # names of ours that make a record a header, wherever it is
_SEP = re.compile(r"\s*\"?sep=(.)\"?[,;\t|]*\s*(?:\r\n|\r|\n)", re.IGNORECASE)
# É, é, è, ê, à, ç, ô, î … in UTF-8, each byte a sign of Windows-1252; and what stands for no sign at all.
_BROKEN = re.compile("Ã[\u0080-\u00bfˆ‰Š‡€ƒ]|\ufffd")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    `names` are those of its header; `lines` and `records` of the file are above that, `sep=` included;
    `titles` tells that some of these say something. `has_rows` is false where the file ends with its header.
    `accents_are_broken` where UTF-8 was once read as Windows-1252.
    """

    encoding: str
    delimiter: str
    names: list[str]
    lines: int
    records: int
    titles: bool
    has_rows: bool
    accents_are_broken: bool


@dataclass(frozen=True, slots=True)
class _Header:
    """A record that may be the header; `known` counts its names that are ours."""

    delimiter: str
    names: list[str] = field(default_factory=list)
    lines: int = 0
    records: int = 0
    titles: bool = False
    known: int = 0


def dialect_of(path: Path, dictionary: Dictionary) -> Dialect:
    """Return how a file is written: the header is the first record that has names of ours.

    Where none has, it is the first that is no title, and the delimiter is the one that splits it the most.

    Raises:
        ExtractError: its encoding cannot be read.
        UnicodeDecodeError, csv.Error: it is no CSV file as far as the header.
    """
    encoding = encoding_of(path)
    with path.open("rb") as file:
        head = file.read(LONGEST_HEADER)
    text = codecs.getincrementaldecoder(encoding)().decode(head)
    sep = _SEP.match(text)
    body, above = (text[sep.end() :], 1) if sep else (text, 0)
    headers = [_header(body, delimiter, dictionary) for delimiter in ((sep[1],) if sep else DELIMITERS)]
    best = max(headers, key=lambda header: (header.known >= _KNOWN, header.known, len(header.names)))
    below = _below(body, best)
    return Dialect(
        encoding,
        best.delimiter,
        _names(best.names, below),
        best.lines + above,
        best.records + above,
        best.titles,
        has_rows=bool(below) or len(head) == LONGEST_HEADER,
        accents_are_broken=bool(_BROKEN.search(text)),
    )


def _header(text: str, delimiter: str, dictionary: Dictionary) -> _Header:
    looked_at: list[_Header] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines, titles = 0, False
    for place in range(_SEARCHED):
        record = _next(reader, is_first=not place)
        if record is None:
            break
        known = sum(_is_known(name, dictionary) for name in record)
        header = _Header(delimiter, record, lines, place, titles, known)
        if known >= _KNOWN:
            return header
        if record:
            looked_at.append(header)
        lines = reader.line_num
        titles = titles or any(map(str.strip, record))
    found = first_header([header.names for header in looked_at])
    return _Header(delimiter) if found is None else looked_at[found]


def _next(reader: Any, *, is_first: bool = False) -> list[str] | None:
    """Return the next record; what cannot be read below the first is for Arrow to explain."""
    try:
        return next(reader, None)
    except csv.Error:
        if is_first:
            raise
        return None


def _is_known(name: str, dictionary: Dictionary) -> bool:
    return dictionary.names.field_of(name) is not None or dictionary.names.is_passed_over(name)


def _below(text: str, header: _Header) -> list[list[str]]:
    """Return the first records below a header; an empty one stands for what only Arrow can explain."""
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=header.delimiter)
    try:
        records += islice(reader, header.records + 1 + _COMPARED)
    except csv.Error:
        records.append([])
    return records[header.records + 1 :]


def _names(names: list[str], below: list[list[str]]) -> list[str]:
    """Return the names of a header, as many as the rows below have values: a delimiter may end lines."""
    rows = [row for row in below if row]
    if rows and all(len(row) == len(names) + 1 and not row[-1] for row in rows):
        return [*names, ""]
    if rows and names and not names[-1] and all(len(row) == len(names) - 1 for row in rows):
        return names[:-1]
    return names
