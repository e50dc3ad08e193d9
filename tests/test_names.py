"""Names that no field has: what is said of them, and that following it swaps nobody's data."""

from pathlib import Path

import pandas as pd
import pytest

from churn.core.errors import ExtractError
from churn.dictionary.folding import fold_name
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.ingest.flat import FlatTable
from churn.model.sample import write_sample
from tests.conftest import Served
from tests.support.company import EXAMPLE
from tests.support.spellings import spellings

MEANT = {
    "satisfaction_nature_travail": "satisfaction_employee_nature_travail",
    "annees_dans_entreprise": "annees_dans_l_entreprise",
    "annees_dans_poste_actuel": "annees_dans_le_poste_actuel",
    "annees_depuis_derniere_promotion": "annees_depuis_la_derniere_promotion",
    "Années dans l'entrerpise": "annees_dans_l_entreprise",
    "satisfaction_employe_equilibre_pro_perso": "satisfaction_employee_equilibre_pro_perso",
    "heures_supplementaire": "heure_supplementaires",
    "departemant": "departement",
    "employee_age": "age",
    "Years in company": "annees_dans_l_entreprise",
}
# Each resembles a field, and is another thing, or its own in another unit.
OTHERS = [
    *(
        "revenu_annuel",
        "revenu_mensuel_net",
        "annual_income",
        "monthly_income_k",
        "revenu_horaire",
        "wage",
        "salaire",
    ),
    *("revenu_mensuel (k€)", "revenu mensuel ($)", "distance_domicile_travail (%)", "distance domicile"),
    *(
        "satisfaction",
        "satisfaction_employee",
        "age_conjoint",
        "manager_age",
        "age_from",
        "employee_number",
        "id",
    ),
    *(
        "note_evaluation",
        "annees",
        "annees_poste",
        "mois_dans_l_entreprise",
        "months with the company",
        "jobs",
    ),
    *(
        "annees_dans_l_entreprise_precedente",
        "nombre_formations",
        "previous_review_2",
        "employee",
        "",
        "_",
        "🙂",
    ),
]
UNITS = [
    "annuel",
    "annuelle",
    "hebdomadaire",
    "horaire",
    "journalier",
    "trimestriel",
    "mois",
    "semaine",
    "jours",
]
UNITS += [
    "yearly",
    "annual",
    "weekly",
    "hourly",
    "daily",
    "quarterly",
    "months",
    "per_week",
    "par_an",
    "brut",
    "net",
]
UNITS += ["k€", "%", "$", "keur", "miles", "m", "2"]


def unknown(name: str, where: Path) -> str:
    """Return what is said of a column by a file to be scored."""
    pd.DataFrame([{**EXAMPLE, name: 1}]).to_csv(where / "flat.csv", index=False)
    with pytest.raises(ExtractError) as caught:
        FlatTable(where / "flat.csv", TECHNOVA)
    return str(caught.value)


@pytest.mark.parametrize(("given", "name"), MEANT.items())
def test_what_can_mean_one_field_is_said_of_files(tmp_path: Path, given: str, name: str) -> None:
    assert f"no such column, or {name}, if that is meant" in unknown(given, tmp_path)
    write_sample(tmp_path, rows=2)
    extract = TECHNOVA.by_name[name].extract
    path = tmp_path / f"extrait_{extract}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(name, given, 1), encoding="utf-8")
    with pytest.raises(ExtractError, match=f"no such column, or {name}, if that is meant"):
        extracts.read(tmp_path, TECHNOVA)


def test_another_companys_file_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    pd.DataFrame([{"Age": 41, "Bonus": 3, "Team": "North", "Shift": 2}]).to_csv(path, index=False)
    with pytest.raises(ExtractError) as caught:
        FlatTable(path, TECHNOVA)
    assert "3 of these 4 are none of them" in caught.value.problems[0].expected
    assert "churn dictionary draft FILE -o company.toml" in caught.value.problems[0].expected
    assert "dictionary draft" not in unknown("departemant", tmp_path)


def test_what_can_mean_one_field_is_said_by_the_api(served: Served) -> None:
    for given, name in MEANT.items():
        for language, told in (
            ("fr", f"champ inconnu : s'agit-il de {name} ?"),
            ("en", f"unknown field: is {name} meant?"),
        ):
            headers = {"Accept-Language": language}
            answer = served.client.post("/predict", json={**EXAMPLE, given: 987654}, headers=headers)
            assert [entry["msg"] for entry in answer.json()["detail"]] == [told]
            assert "987654" not in answer.text
    answer = served.client.post("/predict", json={**EXAMPLE, "revenu_annuel": 1})
    assert [entry["msg"] for entry in answer.json()["detail"]] == ["champ inconnu"]


@pytest.mark.parametrize("given", OTHERS)
def test_what_is_another_thing_is_no_field(tmp_path: Path, given: str) -> None:
    assert TECHNOVA.names.meant(given) is None
    if fold_name(given):  # columns without a name are passed over
        assert "if that is meant" not in unknown(given, tmp_path)


def test_no_unit_is_suggested_away() -> None:
    for field in TECHNOVA.inputs:
        for name in spellings(field):
            words = fold_name(name).split("_")
            for unit in UNITS:
                for n in range(len(words)):
                    for other in ([*words[:n], unit, *words[n:]], [*words[:n], unit, *words[n + 1 :]]):
                        found = TECHNOVA.names.meant("_".join(other)) or TECHNOVA.names.field_of(
                            "_".join(other)
                        )
                        # Where a word without meaning made way for it, or only the unit is left.
                        assert found is None or unit in fold_name(name), (name, unit, other)
