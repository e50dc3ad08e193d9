"""The journal as a table: one Parquet row per prediction, with its input, reasons, call and reviews."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from churn.core.atomic_file import replacing
from churn.core.errors import DatabaseError, SettingsError
from churn.core.progress import RowProgress
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.schemas.logged_prediction import LoggedPrediction
from churn.schemas.review import LoggedReview

GROUP_ROWS = 10_000
CONTRIBUTION = "contribution_"  # the prefix of the field's name

_CALL: dict[str, Any] = {
    "prediction_id": pa.string(),
    "request_id": pa.string(),
    "received_at": pa.timestamp("us", tz="UTC"),
    "method": pa.string(),
    "route": pa.string(),
    "caller_kind": pa.string(),
    "caller_name": pa.string(),
    "status": pa.int16(),
    "duration_ms": pa.float64(),
    "model": pa.string(),
    "threshold": pa.float64(),
    "prediction": pa.int8(),
    "probability": pa.float64(),
    "base_value": pa.float64(),
    "employee_id": pa.string(),
}
_REVIEW = pa.struct(
    {
        "review_id": pa.string(),
        "at": pa.timestamp("us", tz="UTC"),
        "caller_kind": pa.string(),
        "caller_name": pa.string(),
        "verdict": pa.string(),
        "action": pa.string(),
        "comment": pa.string(),
    }
)
# Columns that are attributes of a logged prediction, with the same name.
_AS_READ = [field.name for field in fields(LoggedPrediction) if field.name in {*_CALL, "erased"}]


def check(path: Path, *, overwrite: bool) -> None:
    """Refuse a file that could not be written, before anything is read.

    Raises:
        SettingsError: it exists and is not to be overwritten, its folder does not, or it is not named
            .parquet.
    """
    if path.suffix.lower() != ".parquet":
        raise SettingsError(f"{path.name}: the export's name must end in .parquet")
    if path.is_dir() or not path.parent.is_dir():
        raise SettingsError(f"{path} cannot be written: name a file in a folder that is there")
    if path.exists() and not overwrite:
        raise SettingsError(f"{path} is already there: name another, or add --overwrite")


def export(
    path: Path,
    dictionary: Dictionary,
    predictions: Iterator[LoggedPrediction],
    total: int,
    record: Callable[[int], None],
    progress: RowProgress,
) -> int:
    """Write predictions to a file, and return the number of rows.

    The file appears as a whole, once `record` was called with that number and returned. `total` is about how
    many rows there will be, for the progress.

    Raises:
        SettingsError: the file cannot be written.
        DatabaseError: the journal cannot be read, or has a record that does not fit this version.
    """
    try:
        with replacing(path) as part:
            rows = _write(part, _Columns(dictionary), predictions, total, progress)
            record(rows)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error}; nothing was left") from error
    return rows


def _write(
    part: Path,
    columns: "_Columns",
    predictions: Iterator[LoggedPrediction],
    total: int,
    progress: RowProgress,
) -> int:
    rows = 0
    with pyarrow.parquet.ParquetWriter(part, columns.schema) as writer:
        while group := list(islice(predictions, GROUP_ROWS)):
            writer.write_table(columns.table(group))
            rows += len(group)
            progress(rows, min(1.0, rows / total))
    return rows


class _Columns:
    """The columns of the predictions about one company's employees."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._identifier = dictionary.identifier.name
        fields = [field for field in dictionary.inputs if field is not dictionary.identifier]
        self._accepted = {field.name: _accepted(field) for field in fields}
        self.schema = pa.schema(
            [
                *_CALL.items(),
                *((field.name, _type(field)) for field in fields),
                *((CONTRIBUTION + field.name, pa.float64()) for field in fields),
                ("reviews", pa.list_(_REVIEW)),
                ("erased", pa.bool_()),
            ]
        )

    def table(self, group: Sequence[LoggedPrediction]) -> Any:
        """Return predictions as a table of Arrow's; raises DatabaseError where one does not fit."""
        try:
            return pa.Table.from_pylist([self._row(prediction) for prediction in group], schema=self.schema)
        except (pa.ArrowException, OverflowError):
            # Not chained: Arrow's message repeats the value.
            raise DatabaseError(
                f"a prediction from {group[0].prediction_id} to {group[-1].prediction_id} has a number "
                "that is none: run `churn data verify`, or export the days before and after it"
            ) from None

    def _row(self, prediction: LoggedPrediction) -> dict[str, Any]:
        row: dict[str, Any] = {name: getattr(prediction, name) for name in _AS_READ}
        row |= {
            "prediction_id": str(prediction.prediction_id),
            "request_id": str(prediction.request_id),
            "received_at": prediction.at,
            "caller_kind": prediction.caller.kind,
            "caller_name": prediction.caller.name,
        }
        if prediction.erased:
            return row
        row["reviews"] = [_review(review) for review in prediction.reviews]
        record, contributions = prediction.record, prediction.contributions
        call_and_result = (prediction.at, prediction.status, prediction.prediction, prediction.probability)
        if record is None or contributions is None or None in call_and_result:
            raise DatabaseError(
                f"prediction {prediction.prediction_id} is not whole in the journal: "
                "run `churn data verify`, or export the days before and after it"
            )
        record = {name: value for name, value in record.items() if name != self._identifier}
        _check(prediction, "record", record, self._accepted)
        _check(prediction, "contributions", contributions, dict.fromkeys(self._accepted, (float,)))
        return row | record | {CONTRIBUTION + name: value for name, value in contributions.items()}


def _review(review: LoggedReview) -> dict[str, Any]:
    return {
        "review_id": str(review.review_id),
        "at": review.at,
        "caller_kind": review.caller.kind,
        "caller_name": review.caller.name,
        "verdict": review.verdict,
        "action": review.action,
        "comment": review.comment,
    }


def _type(field: Field) -> Any:
    if not field.numeric:
        return pa.string()
    return pa.int64() if field.kind == "integer" else pa.float64()


def _accepted(field: Field) -> tuple[type, ...]:
    if not field.numeric:
        return (str,)
    return (int,) if field.kind == "integer" else (float, int)


def _check(
    prediction: LoggedPrediction,
    name_of_part: str,
    values: Mapping[str, Any],
    accepted: Mapping[str, tuple[type, ...]],
) -> None:
    """Refuse values that would be lost or changed in their columns."""
    where = f"the {name_of_part} of prediction {prediction.prediction_id}"
    for name, value in values.items():
        if name not in accepted:
            raise DatabaseError(
                f"{where} has a field that this version does not know: export with the churn that logged it"
            )
        # The exact type: in Python a boolean is an integer.
        if value is not None and type(value) not in accepted[name]:
            raise DatabaseError(
                f"{name} in {where} is not of its type: run `churn data verify`, "
                "or export the days before and after it"
            )
