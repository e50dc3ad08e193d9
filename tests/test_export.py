"""The export: every value of every prediction, in its own type; a file that is whole, and that is logged."""

import signal
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from sqlalchemy import Engine, select

from churn.cli.data.export import export
from churn.core.errors import ChurnError, DatabaseError, SettingsError
from churn.core.operator import operator
from churn.database.tables import api_responses, requests
from churn.dictionary.technova import TECHNOVA
from churn.records import export as exports
from churn.records.predictions import logged
from churn.schemas.logged_prediction import LoggedPrediction
from tests.conftest import Served
from tests.support.company import MODELS
from tests.support.predictions import FULL, erase, predict, put, rewrite, run, sql


def exported(path: Path, *arguments: object) -> list[dict[str, Any]]:
    result = run(export, path, *arguments)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    assert f"{len(found)} predictions are in {path}" in result.output
    return found


def acts(engine: Engine) -> list[tuple[str | None, Any]]:
    """Return who exported, and what was told of it."""
    asked = (requests.c.caller_name, api_responses.c.body)
    joined = requests.join(api_responses, requests.c.id == api_responses.c.request_id)
    of_export = requests.c.route == "churn data export"
    with engine.connect() as connection:
        rows = connection.execute(select(*asked).select_from(joined).where(of_export).order_by(requests.c.id))
        return [(row.caller_name, row.body) for row in rows]


def error_of(result: Result) -> ChurnError:
    assert isinstance(result.exception, ChurnError), result.output
    return result.exception


def test_every_value_is_there_in_its_type(served: Served, tmp_path: Path) -> None:
    ids = predict(served)
    found = exported(tmp_path / "out.parquet")
    assert [row["prediction_id"] for row in found] == list(map(str, ids))
    for row, one in zip(found, logged(served.engine), strict=True):
        assert row == expected(one)
    first = found[0]
    record = MODELS.employee.model_validate(FULL).record()
    assert {name: first[name] for name in record} == {**record, "employee_id": "4711"}
    assert (first["method"], first["route"], first["status"]) == ("POST", "/predict", 200)
    assert (first["caller_kind"], first["caller_name"]) == ("token", "tests")
    assert first["received_at"] <= datetime.now(UTC)


def expected(prediction: LoggedPrediction) -> dict[str, Any]:
    """Return the row of a prediction, by the journal's own documents."""
    assert prediction.record is not None and prediction.contributions is not None  # noqa: PT018
    fields = [field.name for field in TECHNOVA.inputs if field is not TECHNOVA.identifier]
    plain: tuple[str, ...] = (
        "model",
        "threshold",
        "prediction",
        "probability",
        "base_value",
        "employee_id",
        "status",
        "method",
        "route",
        "duration_ms",
    )
    return {
        "prediction_id": str(prediction.prediction_id),
        "request_id": str(prediction.request_id),
        **{name: getattr(prediction, name) for name in plain},
        **{name: prediction.record[name] for name in fields},
        **{f"contribution_{name}": prediction.contributions.get(name) for name in fields},
        "received_at": prediction.at,
        "caller_kind": prediction.caller.kind,
        "caller_name": prediction.caller.name,
        "reviews": [],
        "erased": False,
    }


def test_columns_have_their_types_also_where_all_are_unknown(served: Served, tmp_path: Path) -> None:
    assert exported(tmp_path / "none.parquet") == []
    types = {field.name: field.type for field in pq.read_schema(tmp_path / "none.parquet")}
    kinds = {"integer": pa.int64(), "number": pa.float64(), "percent": pa.float64(), "category": pa.string()}
    inputs = {field.name: kinds[field.kind] for field in TECHNOVA.inputs if field.kind in kinds}
    assert {name: types[name] for name in inputs} == inputs
    assert {types[f"contribution_{name}"] for name in inputs} == {pa.float64()}
    assert types["received_at"] == pa.timestamp("us", tz="UTC")
    assert (types["employee_id"], types["erased"]) == (pa.string(), pa.bool_())
    assert len(types) == 17 + 2 * len(inputs)


def test_rows_are_written_group_by_group(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "GROUP_ROWS", 3)
    ids = predict(served)
    assert len(exported(tmp_path / "out.parquet")) == len(ids) == 7
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 3


def test_the_erased_keep_their_row_and_nothing_personal(served: Served, tmp_path: Path) -> None:
    ids = predict(served)
    erase(served.engine, ids[0])
    found = exported(tmp_path / "out.parquet")
    assert [row["erased"] for row in found] == [True] + [False] * (len(ids) - 1)
    kept = {name for name, value in found[0].items() if value is not None}
    assert kept == {
        *("prediction_id", "request_id", "received_at", "method", "route", "caller_kind", "caller_name"),
        *("status", "duration_ms", "model", "threshold", "base_value", "erased"),
    }


def test_days(served: Served, tmp_path: Path) -> None:
    ids = predict(served)
    today = datetime.now(UTC).date()

    def rows(*arguments: object) -> int:
        return len(exported(tmp_path / "out.parquet", "--overwrite", *arguments))

    day = timedelta(days=1)
    assert rows("--since", today - day, "--until", today + day) == len(ids)
    assert rows("--since", today + day) == rows("--until", today - day) == 0


class TestAct:
    def test_is_logged_with_who_and_how_many(self, served: Served, tmp_path: Path) -> None:
        ids = predict(served)
        exported(tmp_path / "all.parquet")
        exported(tmp_path / "few.parquet", "--since", date(2099, 1, 1), "--until", date(2099, 1, 31))
        since, until = "2099-01-01T00:00:00+00:00", "2099-02-01T00:00:00+00:00"
        assert acts(served.engine) == [
            (operator(), {"rows": len(ids), "since": None, "until": None}),
            (operator(), {"rows": 0, "since": since, "until": until}),
        ]

    def test_no_file_where_it_cannot_be_logged(self, served: Served, tmp_path: Path) -> None:
        predict(served)
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE journal_batches RENAME COLUMN digest TO gone")
        result = run(export, tmp_path / "out.parquet")
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE journal_batches RENAME COLUMN gone TO digest")
        assert isinstance(error_of(result), DatabaseError)
        assert not left_in(tmp_path)


def left_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are no database's."""
    return [path for path in folder.iterdir() if not path.name.startswith("churn.db")]


class TestFile:
    def test_is_not_overwritten_unless_told(self, served: Served, tmp_path: Path) -> None:
        path = tmp_path / "out.parquet"
        path.write_text("old")
        assert "is already there" in str(error_of(run(export, path)))
        assert path.read_text() == "old"
        assert acts(served.engine) == []
        assert exported(path, "--overwrite") == []

    @pytest.mark.parametrize("name", ["out.csv", "out", "nowhere/out.parquet"])
    def test_is_a_parquet_file_in_a_folder_that_is_there(
        self, served: Served, tmp_path: Path, name: str
    ) -> None:
        assert isinstance(error_of(run(export, tmp_path / name)), SettingsError)
        assert acts(served.engine) == []

    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
    def test_an_interruption_leaves_nothing(
        self, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
    ) -> None:
        predict(served)
        monkeypatch.setattr(exports, "GROUP_ROWS", 2)
        make_table = exports._Columns.table
        parts: list[Path] = []

        def interrupted(columns: exports._Columns, group: Sequence[LoggedPrediction]) -> Any:
            if parts:
                signal.raise_signal(sent)
            parts.extend(left_in(tmp_path))
            return make_table(columns, group)

        monkeypatch.setattr(exports._Columns, "table", interrupted)
        assert run(export, tmp_path / "out.parquet").exit_code == 1
        assert len(parts) == 1  # it was being written
        assert not left_in(tmp_path)
        assert acts(served.engine) == []


class TestWhatIsNoRecord:
    """Never a null, and never a value in the message."""

    def refused(self, tmp_path: Path, one: uuid.UUID) -> str:
        error = error_of(run(export, tmp_path / "out.parquet"))
        assert isinstance(error, DatabaseError)
        assert str(one) in str(error)
        assert "424242424242" not in str(error)
        assert not left_in(tmp_path)
        return str(error)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("age", "424242424242"),
            ("age", 424242424242.0),
            ("age", True),
            ("revenu_mensuel", "424242424242"),
            ("genre", 424242424242),
            ("poste", ["424242424242"]),
        ],
    )
    def test_a_value_of_another_type(self, served: Served, tmp_path: Path, field: str, value: object) -> None:
        _, one, *_ = predict(served)
        rewrite(served.engine, "employee_inputs", "record", one, **{field: value})
        assert f"{field} in the record" in self.refused(tmp_path, one)

    @pytest.mark.parametrize("field", ["age", "revenu_mensuel"])
    def test_a_number_that_its_column_would_round(self, served: Served, tmp_path: Path, field: str) -> None:
        one, *_ = predict(served)
        rewrite(served.engine, "employee_inputs", "record", one, **{field: 2**63 + 4243})
        assert "has a number that is none" in self.refused(tmp_path, one)

    def test_a_field_that_is_not_known(self, served: Served, tmp_path: Path) -> None:
        _, one, *_ = predict(served)
        rewrite(served.engine, "employee_inputs", "record", one, salaire_424242424242=1)
        assert "does not know" in self.refused(tmp_path, one)

    def test_a_contribution_that_is_none(self, served: Served, tmp_path: Path) -> None:
        _, one, *_ = predict(served)
        rewrite(served.engine, "features", "contributions", one, age="424242424242")
        assert "age in the contributions" in self.refused(tmp_path, one)

    def test_an_input_or_a_call_that_is_gone(self, served: Served, tmp_path: Path) -> None:
        one, *_ = predict(served)
        put(served.engine, "employee_inputs", "record", one, "[]")
        self.refused(tmp_path, one)
        sql(served.engine, "DELETE FROM employee_inputs", one)
        assert "is not whole" in self.refused(tmp_path, one)
