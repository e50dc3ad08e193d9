"""The files that a run leaves: the scores, and the rows that were refused."""

import csv
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from churn.batch.layout import Layout
from churn.batch.reasons import MOST
from churn.batch.scores_workbook import ScoresWorkbook
from churn.core.errors import SettingsError
from churn.core.language import DEFAULT_LANGUAGE, LANGUAGES, Language, pair_of
from churn.core.spreadsheet_text import FORMULA_BEGIN, harmless
from churn.i18n.score_headings import heading
from churn.ingest.rows import Reject

WORDS = pa.dictionary(pa.int32(), pa.string())
SUFFIXES = (".csv", ".parquet", ".xlsx")


def schema(employee_type: Any, *, journalled: bool) -> Any:
    """Return the columns of the scores, as Arrow types them; Parquet keeps the words as dictionaries."""
    fields = [("employee_id", employee_type)] * (employee_type is not None)
    fields += [("row", pa.int64()), ("probability", pa.float64()), ("prediction", pa.int8()), ("band", WORDS)]
    fields += [(f"reason_{rank + 1}", WORDS) for rank in range(MOST)]
    fields += [("warnings", pa.string())]
    fields += [("model", WORDS), ("threshold", pa.float64()), ("journalled", pa.bool_())]
    fields += [("prediction_id", pa.string())] * journalled
    return pa.schema(fields)


def check_suffix(path: Path) -> None:
    """Refuse an output that is none of CSV, Excel and Parquet.

    Raises:
        SettingsError: it is none.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"{path.name}: the output's name must end in .csv, .xlsx or .parquet")


def scores_file(path: Path, suffix: str, columns: Any, layout: Layout) -> "ScoresFile | ScoresWorkbook":
    """Return the file of scores that a suffix stands for, with the columns of `schema`."""
    if suffix.lower() == ".xlsx":
        return ScoresWorkbook(path, columns, layout.language or DEFAULT_LANGUAGE)
    return CsvScores(path, columns, layout) if suffix.lower() == ".csv" else ParquetScores(path, columns)


class ScoresFile:
    """The scores as they are written; a context that ends the file."""

    def __init__(self, writer: Any, columns: Any) -> None:
        self._writer, self._columns = writer, columns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error the end would only repeat it: on a full disk there is no place for it.
        with suppress(OSError) if kind else nullcontext():
            self._close()

    def write(self, arrays: list[Any]) -> None:
        """Add some rows, with the columns of `schema`."""
        self._writer.write_batch(pa.record_batch(arrays, schema=self._columns))

    def _close(self) -> None:
        self._writer.close()


class ParquetScores(ScoresFile):
    """The scores as Parquet."""

    def __init__(self, path: Path, columns: Any) -> None:
        words = [f.name for f in columns if f.type == WORDS]
        # Probabilities and ids hardly repeat: looking for repetition would take most of the time.
        super().__init__(pyarrow.parquet.ParquetWriter(path, columns, use_dictionary=words), columns)


class CsvScores(ScoresFile):
    """The scores as CSV."""

    def __init__(self, path: Path, columns: Any, layout: Layout) -> None:
        self._layout = layout
        written = [pa.field(heading(f.name, layout.language), self._type(f.type)) for f in columns]
        named = pa.schema(written)
        self._file = path.open("wb")
        self._file.write(layout.begin.encode())
        options = pyarrow.csv.WriteOptions(delimiter=layout.delimiter)
        super().__init__(pyarrow.csv.CSVWriter(self._file, named, write_options=options), named)

    def write(self, arrays: list[Any]) -> None:
        """Add some rows, with the columns of `schema`."""
        super().write(
            [self._cells(array, kind) for array, kind in zip(arrays, self._columns.types, strict=True)]
        )

    def _type(self, kind: Any) -> Any:
        decimals = self._layout.decimal_comma and pa.types.is_floating(kind)
        return pa.string() if kind == WORDS or decimals else kind

    def _cells(self, array: Any, kind: Any) -> Any:
        if pa.types.is_floating(array.type) and pa.types.is_string(kind):
            return pc.replace_substring(array.cast(kind), ".", ",")
        texts = array.cast(kind)
        is_text = pa.types.is_string(kind) and self._layout.is_harmless
        return _harmless(texts) if is_text else texts

    def _close(self) -> None:
        with self._file:
            self._writer.close()


def _harmless(texts: Any) -> Any:
    """Return a column of texts that no spreadsheet takes for formulas."""
    dangerous = pc.is_in(pc.utf8_slice_codeunits(texts, 0, 1), pa.array(FORMULA_BEGIN))
    if not pc.any(dangerous).as_py():
        return texts
    return pc.if_else(dangerous, pc.binary_join_element_wise("'", texts, ""), texts)


class RejectsFile:
    """The refused rows, as CSV: a line for each cell that was refused, with its value."""

    def __init__(self, file: IO[str], place: str, language: Language, layout: Layout) -> None:
        self._language = LANGUAGES.index(language)
        self._layout = layout
        file.write(layout.begin)
        self._writer = csv.writer(file, delimiter=layout.delimiter, lineterminator="\n")
        names = ("file", place, "employee_id", "column", "value", "expected")
        self._writer.writerow([heading(name, layout.language) for name in names])

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add some rejects."""
        for reject in rejects:
            *cells, expected = astuple(reject)
            row = [*cells, pair_of(expected)[self._language]]
            if self._layout.is_harmless:
                row = [harmless(cell) if isinstance(cell, str) else cell for cell in row]
            self._writer.writerow(row)
