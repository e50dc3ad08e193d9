"""The files that a run leaves: the scores, and the rows that were refused."""

import csv
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from churn.batch.reasons import MOST
from churn.core.errors import SettingsError
from churn.core.language import LANGUAGES, Language, pair_of
from churn.ingest.rows import Reject

WORDS = pa.dictionary(pa.int32(), pa.string())
SUFFIXES = (".csv", ".parquet")


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
    """Refuse an output that is neither CSV nor Parquet.

    Raises:
        SettingsError: it is neither.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"{path.name}: the output's name must end in .csv or .parquet")


class ScoresFile:
    """The scores as they are written, CSV or Parquet; a context that ends the file."""

    def __init__(self, path: Path, suffix: str, columns: Any) -> None:
        self._columns = columns
        if suffix.lower() == ".csv":
            plain = [pa.field(f.name, pa.string()) if f.type == WORDS else f for f in columns]
            self._columns = pa.schema(plain)
            self._writer = pyarrow.csv.CSVWriter(path, self._columns)
        else:
            words = [f.name for f in columns if f.type == WORDS]
            # Probabilities and ids hardly repeat: looking for repetition would take most of the time.
            self._writer = pyarrow.parquet.ParquetWriter(path, columns, use_dictionary=words)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error the end would only repeat it: on a full disk there is no place for it.
        with suppress(OSError) if kind else nullcontext():
            self._writer.close()

    def write(self, arrays: list[Any], columns: Any) -> None:
        """Add some rows, with the columns of `schema`."""
        batch = pa.record_batch(arrays, schema=columns)
        self._writer.write_batch(batch if columns == self._columns else batch.cast(self._columns))


class RejectsFile:
    """The refused rows, as CSV: a line for each cell that was refused, with its value."""

    def __init__(self, file: IO[str], place: str, language: Language) -> None:
        self._language = LANGUAGES.index(language)
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(("file", place, "employee_id", "column", "value", "expected"))

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add some rejects."""
        for reject in rejects:
            *cells, expected = astuple(reject)
            self._writer.writerow([*cells, pair_of(expected)[self._language]])
