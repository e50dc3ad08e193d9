"""The reader of a file of employees, by what the file is: CSV, Excel, OpenDocument or Parquet."""

from collections.abc import Mapping
from pathlib import Path

from churn.core.errors import ExtractError, Problem
from churn.core.language import Bilingual
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences, reading_sentences
from churn.ingest.csv_reader import CsvReader
from churn.ingest.file_kind import no_table, suffix_by_content
from churn.ingest.held_sheet import HeldSheet
from churn.ingest.ods_reader import OdsReader
from churn.ingest.parquet_reader import ParquetReader
from churn.ingest.raw_rows import explained
from churn.ingest.workbook import WorkbookReader
from churn.schemas.file_reading import FileReading

Reader = CsvReader | ParquetReader | WorkbookReader | OdsReader
KINDS: Mapping[str, type[Reader]] = {
    ".csv": CsvReader,
    ".xlsx": WorkbookReader,
    ".ods": OdsReader,
    ".parquet": ParquetReader,
}
_ALSO_TEXT = (".txt", ".tsv")


def open_reader(path: Path, dictionary: Dictionary, *, sheet: str | None = None) -> Reader:
    """Return the reader of a .csv (.txt, .tsv), .xlsx, .ods or .parquet file.

    What its first bytes show goes before its name. `sheet` is the name of a workbook's sheet.

    Raises:
        ExtractError: it is neither, is not there, cannot be read, or not twice.
    """
    if path.is_fifo() or path.is_char_device():
        raise _refused(path, file_sentences.A_SEEKABLE_FILE)
    with explained(path):
        suffix = path.suffix.lower()
        suffix = ".csv" if suffix in _ALSO_TEXT else suffix
        if suffix == ".csv" or suffix not in KINDS:
            if other := suffix_by_content(path):
                suffix = other
            elif expected := no_table(path):
                raise _refused(path, expected)
        if (kind := KINDS.get(suffix)) is None:
            raise _refused(path, file_sentences.known_format(suffix))
        if sheet is not None and not issubclass(kind, HeldSheet):
            raise _refused(path, file_sentences.A_WORKBOOK)
        return kind(path, dictionary, sheet=sheet)


def reading(
    path: Path, reader: Reader, positions: Mapping[str, int], rows: int | None, blanks: int = 0
) -> FileReading:
    """Return how a file is read, whose columns at these positions stand for fields."""
    return FileReading(
        path.name,
        reader.format,
        reader.delimiter,
        reader.decimal_comma,
        [(reader.names[position], name) for name, position in positions.items()],
        reader.sheet,
        sheet_name=reader.sheet_name,
        encoding=reader.encoding,
        rows=rows,
        blanks=blanks,
    )


def understood(reading: FileReading) -> Bilingual:
    """Return how a file is read, in one line."""
    return reading_sentences.understood(
        reading.file,
        reading.format,
        reading.delimiter,
        reading.encoding,
        decimal_comma=reading.decimal_comma,
        rows=reading.rows,
        blanks=reading.blanks,
        sheet=reading.sheet_name,
    )


def _refused(path: Path, expected: str) -> ExtractError:
    return ExtractError([Problem(path.name, None, None, None, expected)])
