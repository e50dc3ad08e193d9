"""A spreadsheet of LibreOffice's, .ods: one of its sheets has the employees, and is read once."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences
from churn.ingest import sheet_header
from churn.ingest.held_sheet import HeldSheet
from churn.ingest.ods_table import OdsContent, OdsError, OdsTable, Row
from churn.ingest.sheet_columns import SheetColumns
from churn.ingest.sheet_header import MAX_SHEETS, SheetHeader

MAX_UNPACKED: Final = 2 * 1024**3  # bytes of the content
_MAX_MANIFEST: Final = 1 << 20
_LONGEST_PROLOG: Final = 65_536
_CONTENT, _MANIFEST = "content.xml", "META-INF/manifest.xml"
_MACROS: Final = ("Basic/", "Scripts/")


@dataclass(frozen=True, slots=True)
class _Sheet:
    table: OdsTable
    header: SheetHeader
    columns: SheetColumns


class OdsReader(HeldSheet):
    """The sheet with employees of an .ods file, chosen as in an .xlsx file."""

    format = "ods"

    def __init__(self, path: Path, dictionary: Dictionary, *, sheet: str | None = None) -> None:
        self._path, self._dictionary = path, dictionary
        with self._explained(), zipfile.ZipFile(path) as archive:
            self._check(archive)
            with archive.open(_CONTENT) as file:
                found = self._choose(OdsContent(file), sheet)
        if found.table.merged > found.header.row:
            raise self._refused(file_sentences.NO_MERGED_CELLS)
        self.sheet, self.sheet_name, self.names = found.table.number, found.table.name, found.header.names
        self.hold(found.columns)
        self.notices = found.header.notices(found.table.hidden_rows, found.table.hidden_columns)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever a damaged file makes the libraries raise into a problem of the file."""
        try:
            yield
        except (ExtractError, MemoryError):
            raise
        except OdsError as error:
            raise self._refused(error.args[0]) from error
        except Exception as error:
            raise self._refused(file_sentences.readable(".ods", type(error).__name__)) from error

    def _refused(self, expected: str) -> ExtractError:
        return ExtractError([Problem(self._path.name, None, None, None, expected)])

    def _check(self, archive: zipfile.ZipFile) -> None:
        """Refuse what is encrypted, too large unpacked, has macros, or declares entities."""
        names = archive.namelist()
        if _MANIFEST in names:
            with archive.open(_MANIFEST) as file:
                if b"encryption-data" in file.read(_MAX_MANIFEST):
                    raise self._refused(file_sentences.NO_PASSWORD)
        if archive.getinfo(_CONTENT).file_size > MAX_UNPACKED:
            raise self._refused(file_sentences.A_SMALLER_WORKBOOK)
        if any(name.startswith(_MACROS) for name in names):
            raise self._refused(file_sentences.NO_MACROS)
        with archive.open(_CONTENT) as file:
            if b"<!DOCTYPE" in file.read(_LONGEST_PROLOG).replace(b"\0", b""):
                raise self._refused(file_sentences.readable(".ods", "DOCTYPE"))

    def _choose(self, content: OdsContent, asked: str | None) -> _Sheet:
        """Return the sheet with employees; one that is `asked` for by its name may be hidden."""
        names, sheets = [], []
        for table in content.tables():
            names.append(table.name)
            if len(names) > MAX_SHEETS:
                raise self._refused(file_sentences.at_most(MAX_SHEETS, "sheets"))
            if (table.visible if asked is None else table.name == asked) and (sheet := self._fill(table)):
                sheets.append(sheet)
        if asked is not None and asked not in names:
            raise self._refused(file_sentences.a_sheet_of(names))
        return sheet_header.only(self._path, sheets)

    def _fill(self, table: OdsTable) -> _Sheet | None:
        """Return a sheet that has a header, with the columns below it."""
        looked_at: list[Row] = []

        def remembered() -> Iterator[Row]:
            for row in table.rows:
                looked_at.append(row)
                yield row

        header = sheet_header.find(self._path, remembered(), self._dictionary)
        if header is None:
            return None
        fields = [self._dictionary.names.field_of(name) for name in header.names]
        percents = [place for place, field in enumerate(fields) if field and field.kind == "percent"]
        columns = SheetColumns(len(header.names), 0, {place: table.percents[place] for place in percents}, {})
        below = (row for row in looked_at if row[0] > header.row)
        columns.add(chain(below, table.rows))
        return _Sheet(table, header, columns)
