"""The scores as a workbook, for people: numbers as numbers, texts as texts, the header in sight."""

import tempfile
from pathlib import Path
from typing import Any, Final, Self

import xlsxwriter

from churn.core.errors import SettingsError
from churn.core.language import LANGUAGES, Language
from churn.core.spreadsheet_text import harmless
from churn.i18n.score_headings import heading

MOST_ROWS: Final = (1 << 20) - 1  # below the header, in a sheet
_LONGEST_CELL: Final = 32_767  # characters
_EXACT: Final = 10**15  # a spreadsheet keeps fifteen digits of a number
_AT_ONCE: Final = 1 << 11  # rows that are Python's objects
_SHEET: Final = ("Scores", "Scores")
_PERCENT: Final = ("probability", "threshold")
_WIDTHS: Final = {"employee_id": 16, "probability": 14, "threshold": 10, "warnings": 60, "model": 24}
_WIDTH, _REASON_WIDTH, _ID_WIDTH = 12, 52, 38


class ScoresWorkbook:
    """An .xlsx file of scores, written as the rows come; a context that ends it."""

    def __init__(self, path: Path, columns: Any, language: Language) -> None:
        self._rows = 0
        self._names: list[str] = columns.names
        # The library keeps the rows in a file of its own until the end.
        self._folder = tempfile.TemporaryDirectory(prefix="churn-scores-")
        options = {"constant_memory": True, "tmpdir": self._folder.name}
        self._book = xlsxwriter.Workbook(path, options)
        self._sheet = self._book.add_worksheet(_SHEET[LANGUAGES.index(language)])
        self._percent = self._book.add_format({"num_format": "0.0%"})
        self._head(language)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                self._sheet.row_data_fh.close()  # the library's own, which only the book's end would close
            else:
                self._sheet.autofilter(0, 0, self._rows, len(self._names) - 1)
                self._book.close()
        finally:
            self._folder.cleanup()

    def write(self, arrays: list[Any]) -> None:
        """Add some rows.

        Raises:
            SettingsError: there are more than a sheet can hold.
        """
        if self._rows + len(arrays[0]) > MOST_ROWS:
            raise SettingsError(f"a workbook holds {MOST_ROWS:,} rows: name a .csv or .parquet file")
        for start in range(0, len(arrays[0]), _AT_ONCE):
            columns = (array.slice(start, _AT_ONCE).to_pylist() for array in arrays)
            for row in zip(*columns, strict=True):
                self._rows += 1
                for place, cell in enumerate(row):
                    self._write_cell(place, cell, is_percent=self._names[place] in _PERCENT)

    def _write_cell(self, place: int, cell: Any, *, is_percent: bool) -> None:
        if isinstance(cell, bool):
            self._sheet.write_boolean(self._rows, place, cell)
        elif isinstance(cell, int) and abs(cell) > _EXACT:
            self._sheet.write_string(self._rows, place, str(cell))
        elif isinstance(cell, int | float):
            self._sheet.write_number(self._rows, place, cell, self._percent if is_percent else None)
        elif cell:
            self._sheet.write_string(self._rows, place, harmless(cell)[:_LONGEST_CELL])

    def _head(self, language: Language) -> None:
        bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._sheet.freeze_panes(1, 1)
        for place, name in enumerate(self._names):
            width = _REASON_WIDTH if name.startswith("reason_") else _WIDTHS.get(name, _WIDTH)
            self._sheet.set_column(place, place, _ID_WIDTH if name == "prediction_id" else width)
            self._sheet.write_string(0, place, heading(name, language), bold)
