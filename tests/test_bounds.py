"""The bound that was broken is the one that is said: for every kind, in both languages, at every door."""

from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from churn.core.errors import ExtractError
from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.ingest.flat import FlatTable
from tests.conftest import Served
from tests.support.company import EXAMPLE
from tests.test_notation import flat, put

NUMBERS = [field for field in TECHNOVA.inputs if field.numeric]
UNBOUNDED = [field for field in NUMBERS if field.maximum is None]
NOUNS = {
    "integer": ("entier", "integer"),
    "number": ("nombre", "number"),
    "percent": ("pourcentage", "percentage"),
}
ALSO = {"percent": (', comme 11 ou "11 %"', ', as 11 or "11 %"')}
HUGE = [10**15, 1e15, 1e12 + 1, 10**30]


def told(field: Field, sign: str, bound: int) -> tuple[str, str]:
    """Return what is to be said of a number that is over or under a bound, in French and in English."""
    french, english = NOUNS[field.kind]
    also = ALSO.get(field.kind, ("", ""))
    article = "an" if field.kind == "integer" else "a"
    grouped = f"{bound:,}"
    return (
        f"attendu : un {french} {sign} {grouped.replace(',', ' ')}{also[0]}",
        f"expected {article} {english} {sign} {grouped}{also[1]}",
    )


def refused(served: Served, changes: dict[str, Any]) -> tuple[str, str]:
    """Return the one sentence that each route says, in French and in English."""
    found = []
    for language in ("fr", "en"):
        headers = {"Accept-Language": language}
        record = EXAMPLE | changes
        said = set()
        bodies = {"/predict": record, "/predict_batch": [EXAMPLE, record]}
        for path, body in (bodies | {"/what_if": {"employee": record, "changes": {}}}).items():
            answer = served.client.post(path, json=body, headers=headers)
            assert answer.status_code == 422
            said |= {entry["msg"] for entry in answer.json()["detail"]}
        (sentence,) = said
        found.append(sentence)
    return found[0], found[1]


def test_by_the_api(served: Served) -> None:
    for field, number in zip(UNBOUNDED, cycle(HUGE), strict=False):
        assert refused(served, {field.name: number}) == told(field, "≤", 10**12), field.name
        assert refused(served, {field.name: -1}) == told(field, "≥", 0), field.name
    for field in (one for one in NUMBERS if one.maximum is not None):
        for number in (10**15, -1):
            french, _ = refused(served, {field.name: number})
            assert french == f"attendu : un entier de {field.minimum:g} à {field.maximum:g}"
    assert refused(served, {"augmentation_salaire_precedente": "10000000000000 %"}) == told(
        TECHNOVA.by_name["augmentation_salaire_precedente"], "≤", 10**12
    )
    assert refused(served, {"employee_id": 2**63}) == (
        "attendu : un entier ≤ 9 223 372 036 854 775 807 ou un texte de 1 à 64 caractères",
        "expected an integer ≤ 9,223,372,036,854,775,807 or a text of 1 to 64 characters",
    )
    assert refused(served, {"employee_id": -1}) == (
        "attendu : un entier ≥ 0 ou un texte de 1 à 64 caractères",
        "expected an integer ≥ 0 or a text of 1 to 64 characters",
    )
    # Too large for JSON's own numbers, and so infinite by the time that it is read.
    body = str(EXAMPLE).replace("'", '"').replace("2500", "1e400").encode()
    answer = served.client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["detail"][0]["msg"] == "attendu : un nombre ≤ 1 000 000 000 000"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("field", UNBOUNDED, ids=lambda field: field.name)
def test_by_files_to_be_scored(tmp_path: Path, field: Field, suffix: str) -> None:
    if suffix == ".csv":
        path = flat(tmp_path, field.name, ["1000000000000000", "-1", "1e999"])
    else:
        path = tmp_path / "flat.parquet"
        pd.DataFrame([{**EXAMPLE, field.name: n} for n in (1e15, -1, 1e300)]).to_parquet(path)
    (rows,) = FlatTable(path, TECHNOVA).batches()
    said = [
        f"expected {reject.expected.removesuffix(', or nothing where unknown')}" for reject in rows.rejects
    ]
    large, small = told(field, "≤", 10**12)[1], told(field, "≥", 0)[1]
    assert said == [large, small, large]


def test_of_identifiers_in_files(tmp_path: Path) -> None:
    frame = pd.DataFrame([{**EXAMPLE, "employee_id": n} for n in (2**63, 1)]).astype(
        {"employee_id": "uint64"}
    )
    frame.to_parquet(tmp_path / "flat.parquet")
    (rows,) = FlatTable(tmp_path / "flat.parquet", TECHNOVA).batches()
    assert [reject.expected for reject in rows.rejects] == [
        "an integer ≤ 9,223,372,036,854,775,807 or a text of 1 to 64 characters, or nothing where unknown"
    ]
    put(tmp_path, "revenu_mensuel", ["1000", "2000"])
    sirh = tmp_path / "extrait_sirh.csv"
    sirh.write_text(
        sirh.read_text(encoding="utf-8").replace("\n1;", "\n1234567890123456789;"), encoding="utf-8"
    )
    with pytest.raises(ExtractError, match="the employee's number, of at most 18 digits"):
        extracts.read(tmp_path, TECHNOVA)


@pytest.mark.parametrize("field", UNBOUNDED, ids=lambda field: field.name)
def test_by_extracts(tmp_path: Path, field: Field) -> None:
    put(tmp_path, field.name, ["1000000000000000", "-1", "1"])
    with pytest.raises(ExtractError) as caught:
        extracts.read(tmp_path, TECHNOVA)
    large, small = (problem.expected for problem in caught.value.problems)
    assert f"expected {large}".startswith(told(field, "≤", 10**12)[1])
    assert f"expected {small}".startswith(told(field, "≥", 0)[1])
