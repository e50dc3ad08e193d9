"""The extracts, the API and files to be scored read the same value the same way."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from churn.batch.run_journal import records
from churn.core.errors import ExtractError
from churn.dictionary.field import Field
from churn.dictionary.folding import fold_name
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.ingest.flat import FlatTable
from churn.model.sample import write_sample
from tests.support.company import EXAMPLE, MODELS

REFUSED = object()


def by_extract(folder: Path, field: Field, text: str) -> object:
    """Return the value of a field once it is read from an extract."""
    write_sample(folder, rows=2)
    path = folder / f"extrait_{field.extract}.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    column = next(n for n, name in enumerate(rows[0]) if fold_name(name) in field.spellings)
    rows[1][column] = text
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    for other in folder.glob("*.csv"):
        if other != path:
            other.write_text(other.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    try:
        return extracts.read(folder, TECHNOVA)[field.name].tolist()[0]
    except ExtractError:
        return REFUSED


def by_api(field: Field, value: object) -> object:
    try:
        return MODELS.employee.model_validate({**EXAMPLE, field.name: value}).record()[field.name]
    except ValidationError:
        return REFUSED


def by_file(path: Path, field: Field, value: object) -> object:
    """Return the value of a field once it is read from a file to be scored, text or typed."""
    table = pd.DataFrame([{**EXAMPLE, field.name: value}])
    if path.suffix == ".csv":
        table.to_csv(path, index=False, sep=";")
    else:
        table.to_parquet(path, index=False)
    [rows] = FlatTable(path, TECHNOVA).batches()
    found = records(rows, TECHNOVA)
    return found[0][field.name] if found else REFUSED


def assert_one_reading(folder: Path, field: Field, text: str, value: Any) -> None:
    """Hold the doors together: a text in files of text, its value where there are types."""
    expected = by_api(field, value)
    assert by_extract(folder, field, text) == expected
    assert by_file(folder / "flat.csv", field, text) == expected
    assert by_file(folder / "flat.parquet", field, value) == expected


PERCENTAGES = [
    *("11 %", "11%", "11,5 %", "11", "1", "1 %", "0.11", "0,11", "0.5 %", "0.123456789123", "1e1"),
    *("1e13", "1_1", "+11", "-1", "onze", "%", "inf", "١١"),
]
CATEGORIES = [
    *(("poste", text) for text in ("TechLead", "tech lead", "Représentant commercial", "CEO")),
    *(("genre", text) for text in ("f", "X")),
    ("frequence_deplacement", "Fréquent"),
    ("domaine_etude", "InfraCloud"),
    ("statut_marital", "Marie"),
    ("heure_supplementaires", "oui"),
    ("departement", "RH"),
]
NUMBERS = [
    *(("revenu_mensuel", number) for number in (0, 2500.5, 1e12, 1e13, -1)),
    *(("annees_dans_l_entreprise", number) for number in (0, 3.0, 3.5, 1e12, 1e15)),
    *(("age", number) for number in (17, 18, 70, 71)),
]


@pytest.mark.parametrize("text", PERCENTAGES)
def test_a_percentage(text: str, tmp_path: Path) -> None:
    field = TECHNOVA.by_name["augmentation_salaire_precedente"]
    assert_one_reading(tmp_path, field, text, text)


@pytest.mark.parametrize(("name", "text"), CATEGORIES)
def test_a_category(name: str, text: str, tmp_path: Path) -> None:
    assert_one_reading(tmp_path, TECHNOVA.by_name[name], text, text)


@pytest.mark.parametrize(("name", "number"), NUMBERS)
def test_a_number(name: str, number: float, tmp_path: Path) -> None:
    assert_one_reading(tmp_path, TECHNOVA.by_name[name], repr(number), number)


@pytest.mark.parametrize("number", [0, 0.11, 0.29, 1, 1.5, 11, 1e12, 1e13, -0.5, -1])
def test_a_percentage_that_is_a_number(number: float, tmp_path: Path) -> None:
    field = TECHNOVA.by_name["augmentation_salaire_precedente"]
    assert_one_reading(tmp_path, field, repr(number), number)


@pytest.mark.parametrize(
    ("name", "number"), [("revenu_mensuel", 3100.55), ("augmentation_salaire_precedente", 0.11)]
)
def test_a_number_of_single_precision_is_the_one_that_was_written(
    name: str, number: float, tmp_path: Path
) -> None:
    field = TECHNOVA.by_name[name]
    write_sample(tmp_path, rows=2)
    extract = tmp_path / f"extrait_{field.extract}.csv"
    table = pd.read_csv(extract)
    column = next(spelling for spelling in map(str, table) if fold_name(spelling) in field.spellings)
    table[column] = pd.Series([number] * 2, dtype="float32")
    table.to_parquet(extract.with_suffix(".parquet"), index=False)
    extract.unlink()
    flat = tmp_path / "flat.parquet"
    pd.DataFrame([EXAMPLE]).assign(**{name: pd.Series([number], dtype="float32")}).to_parquet(flat)
    [rows] = FlatTable(flat, TECHNOVA).batches()
    expected = by_api(field, number)
    assert (extracts.read(tmp_path, TECHNOVA)[name].tolist()[0], records(rows, TECHNOVA)[0][name]) == (
        expected,
        expected,
    )


@pytest.mark.parametrize("name", ["age", "revenu_mensuel", "poste"])
def test_a_boolean(name: str, tmp_path: Path) -> None:
    field = TECHNOVA.by_name[name]
    assert by_api(field, True) is by_file(tmp_path / "flat.parquet", field, True) is REFUSED


def test_what_only_spreadsheets_write_is_read_in_files_alone(tmp_path: Path) -> None:
    overtime = TECHNOVA.by_name["heure_supplementaires"]
    assert by_api(overtime, True) is REFUSED
    assert by_file(tmp_path / "flat.parquet", overtime, True) == "Oui"
    rise = TECHNOVA.by_name["augmentation_salaire_precedente"]
    assert by_api(rise, "nan") is REFUSED
    assert by_file(tmp_path / "flat.csv", rise, "nan") is None


@pytest.mark.parametrize("value", [1, 0, -1, 3.0, 2.5, "E_1", " E 1 ", "x" * 64, "x" * 65, "\x07"])
def test_an_employee_id(value: object, tmp_path: Path) -> None:
    field = TECHNOVA.identifier
    assert by_file(tmp_path / "flat.parquet", field, value) == by_api(field, value)
    if isinstance(value, str):
        assert by_file(tmp_path / "flat.csv", field, value) == by_api(field, value)
