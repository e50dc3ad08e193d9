"""A job's results as CSV, written while they are sent, for spreadsheets of the reader's language."""

import csv
import io
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from churn.core.language import Language
from churn.core.spreadsheet_text import BYTE_ORDER_MARK, harmless

Part = Literal["scores", "rejects"]

DATABASE: Final = "results.db"
PART_ROWS: Final = 500


def open_results(folder: Path) -> "closing[sqlite3.Connection]":
    """Return the results in a job's folder, which nobody changes, to be read by any thread."""
    uri = f"{(folder / DATABASE).as_uri()}?mode=ro&immutable=1"
    return closing(sqlite3.connect(uri, uri=True, check_same_thread=False))


def csv_parts(folder: Path, part: Part, language: Language) -> Iterator[bytes]:
    """Yield one table of the results as CSV, some rows at a time.

    French: with a byte order mark, semicolons and decimal commas; English: with commas and decimal points.
    """
    french = language == "fr"
    text = io.StringIO(BYTE_ORDER_MARK if french else "", newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, delimiter=";" if french else ",", lineterminator="\r\n")
    with open_results(folder) as connection:
        cursor = connection.execute(f"SELECT * FROM {part} ORDER BY rowid")  # noqa: S608 - one of two words
        writer.writerow([column[0] for column in cursor.description])
        while rows := cursor.fetchmany(PART_ROWS):
            writer.writerows([_written(row, french=french) for row in rows])
            yield _taken(text)
    yield _taken(text)


def _written(row: Sequence[object], *, french: bool) -> list[object]:
    return [
        harmless(cell)
        if isinstance(cell, str)
        else str(cell).replace(".", ",")
        if french and isinstance(cell, float)
        else cell
        for cell in row
    ]


def _taken(text: io.StringIO) -> bytes:
    """Return what was written since the last time."""
    written = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written
