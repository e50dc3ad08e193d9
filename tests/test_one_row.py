"""One row in all doors: what one accepts, all accept, and read alike."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from churn.batch.run_journal import records
from churn.dictionary.folding import fold_name
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.ingest.data_frames import data_frame
from churn.ingest.flat import FlatTable
from tests.conftest import Served
from tests.support.company import EXTRACTS
from tests.support.spellings import PASSED_OVER, ROUNDS, TARGET, WAYS, WHOLE, renamed

# Every spelling as it is, and every way to write names with two spellings of each.
ROWS = [("as it is", number) for number in ROUNDS]
ROWS += [(way, number % len(ROUNDS)) for n, way in enumerate(WAYS) for number in (n, n + 3)]


def row(way: str, number: int) -> dict[str, Any]:
    """Return the employee with every name spelt in another way, and the columns to pass over."""
    return {renamed(name, way, number): value for name, value in (WHOLE | PASSED_OVER).items()}


def logged(served: Served, count: int) -> list[dict[str, Any]]:
    answer = served.client.get("/history", params={"limit": str(count), "details": "true"})
    found: list[dict[str, Any]] = [one["record"] for one in answer.json()["predictions"]]
    return found


def test_every_spelling_is_of_one_field() -> None:
    every = [fold_name(name) for field in TECHNOVA.fields for name in {*map(fold_name, field.spellings)}]
    assert len(every) == len(set(every))
    assert set(WHOLE) == {field.name for field in TECHNOVA.inputs}


def test_the_api(served: Served) -> None:
    for way, number in ROWS:
        employee, change = row(way, number), row(way, number)
        del change[renamed("employee_id", way, number)]
        for path, body, count in (
            ("/predict", employee, 1),
            ("/predict_batch", [employee, employee], 2),
            ("/what_if", {"employee": employee, "changes": change}, 2),
        ):
            answer = served.client.post(path, json=body)
            assert answer.status_code == 200, (path, way, number, answer.json())
            assert logged(served, count) == [WHOLE] * count, (path, way, number)


def flat(path: Path, table: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep=";" if "semicolon" in path.name else ",")
    return path


@pytest.mark.parametrize("name", ["commas.csv", "semicolons.CSV", "typed.parquet", "texts.parquet"])
def test_files_to_be_scored(tmp_path: Path, name: str) -> None:
    as_text = name == "texts.parquet"
    for way, number in ROWS:
        table = pd.DataFrame([row(way, number)])
        [rows] = FlatTable(flat(tmp_path / name, table.astype(str) if as_text else table), TECHNOVA).batches()
        [found] = records(rows, TECHNOVA)
        assert found | {"employee_id": int(found["employee_id"])} == WHOLE, (way, number)


def extract(folder: Path, name: str, way: str, number: int) -> None:
    """Write one extract of the employee."""
    fields = [
        field.name for field in TECHNOVA.fields if field.extract == name and field is not TECHNOVA.identifier
    ]
    cells = {renamed(field, way, number): (WHOLE | TARGET)[field] for field in fields}
    # Each extract's own way to name who it is, and the names that all of them have in common.
    ids = [EXTRACTS[name].id_column, *({"employee_id"} if number else ())]
    who = WAYS[way](ids[-1]) if number < 2 else renamed("employee_id", way, number)
    cells[who] = PASSED_OVER.get(ids[0], 7) if who == WAYS[way](ids[0]) else 7
    cells |= {WAYS[way](one): PASSED_OVER[one] for one in EXTRACTS[name].constant_columns}
    with (folder / f"extrait_{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([cells.keys(), cells.values()])


def test_extracts(tmp_path: Path) -> None:
    for way, number in ROWS:
        for name in EXTRACTS:
            extract(tmp_path, name, way, number)
        [found] = extracts.read(tmp_path, TECHNOVA).to_dict("records")
        assert found == WHOLE | TARGET, (way, number)
        columns = extracts.read_scorable(tmp_path, TECHNOVA).columns
        [scorable] = data_frame(columns, TECHNOVA).to_dict("records")
        assert scorable == WHOLE, (way, number)


def test_the_target_is_in_files_alone(served: Served, tmp_path: Path) -> None:
    for way, number in ROWS:
        name = renamed("a_quitte_l_entreprise", way, number)
        answer = served.client.post("/predict", json=WHOLE | {name: "Non"})
        assert [entry["type"] for entry in answer.json()["detail"]] == ["target"], name
        table = FlatTable(flat(tmp_path / "with.csv", pd.DataFrame([WHOLE | {name: "Non"}])), TECHNOVA)
        assert any("is what the model predicts: ignored" in notice for notice in table.notices), name
