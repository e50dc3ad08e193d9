"""The embedded sample: three synthetic extracts with the columns, quirks and signal of TechnoVa's.

Nobody in it exists. Employees are drawn from measured facts (`sample_facts.json`, which
`scripts/calibrate_sample.py` writes): shares and quantiles of each field, correlations of the
numbers (a Gaussian copula), shares of one category given another, and each field's additive effect
on leaving.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from churn.dictionary.technova import TECHNOVA

FACTS = Path(__file__).with_name("sample_facts.json")

TYPICAL_ROWS, TYPICAL_SEED = 20, 7

# A share of independent noise keeps the rounded correlations a correlation matrix.
INDEPENDENCE = 0.02

_GROWN_UP = 18  # years
_BEST_MARK_RISE = 20  # percent

_COLUMNS: dict[str, tuple[str, ...]] = {
    "sirh": (
        "id_employee", "age", "genre", "revenu_mensuel", "statut_marital", "departement", "poste",
        "nombre_experiences_precedentes", "nombre_heures_travailless", "annee_experience_totale",
        "annees_dans_l_entreprise", "annees_dans_le_poste_actuel",
    ),
    "eval": (
        "satisfaction_employee_environnement", "note_evaluation_precedente", "niveau_hierarchique_poste",
        "satisfaction_employee_nature_travail", "satisfaction_employee_equipe",
        "satisfaction_employee_equilibre_pro_perso", "eval_number", "note_evaluation_actuelle",
        "heure_supplementaires", "augementation_salaire_precedente",
    ),
    "sondage": (
        "a_quitte_l_entreprise", "nombre_participation_pee", "nb_formations_suivies",
        "nombre_employee_sous_responsabilite", "code_sondage", "distance_domicile_travail",
        "niveau_education", "domaine_etude", "ayant_enfants", "frequence_deplacement",
        "annees_depuis_la_derniere_promotion",
        "annes_sous_responsable_actuel",
    ),
}  # fmt: skip

Employees = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured, by canonical field name; `scripts/calibrate_sample.py` says how.

    `numbers` hold the quantile function of each number (shares up to and including a value), or
    one for each value of the number that it is `given`;
    `categories` the shares given another field's value; `effects` log-odds at some values.
    """

    correlated: tuple[str, ...]
    correlation: NDArray[np.float64]
    numbers: dict[str, dict[str, Any]]
    categories: dict[str, dict[str, Any]]
    effects: dict[str, dict[str, list[Any]]]
    base_value: float


@lru_cache(maxsize=1)
def facts() -> Facts:
    """Return the measured facts."""
    raw = json.loads(FACTS.read_text(encoding="utf-8"))
    correlation = np.array(raw.pop("correlation"))
    return Facts(correlated=tuple(raw.pop("correlated")), correlation=correlation, **raw)


def make_employees(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return synthetic employees, a row each, with the fields of `TECHNOVA` as columns."""
    random = np.random.default_rng(seed)
    employees = _numbers(rows, random)
    _respect_careers(employees)
    # The best mark comes with the larger pay rises, always.
    best = employees["augmentation_salaire_precedente"] >= _BEST_MARK_RISE
    employees["note_evaluation_actuelle"] = np.where(best, 4, 3)
    for name, given in facts().categories.items():
        employees[name] = _category(name, given, employees, random)
    employees[TECHNOVA.target.name] = np.where(
        random.random(rows) < leaving_probability(employees), "Oui", "Non"
    )
    # Identifiers of real companies have gaps: people left before.
    employees["employee_id"] = np.cumsum(random.geometric(0.7, rows))
    return pd.DataFrame({field.name: employees[field.name] for field in TECHNOVA.fields})


def typical_employees() -> list[dict[str, Any]]:
    """Return the records of a few synthetic employees, always the same."""
    table = make_employees(TYPICAL_ROWS, TYPICAL_SEED)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def write_sample(directory: Path, *, rows: int = 1500, seed: int = 0) -> None:
    """Write the three extracts of a synthetic company into a folder; same seed, same bytes."""
    employees = make_employees(rows, seed)
    for extract in TECHNOVA.extracts:
        table = _extract(employees, extract.name)
        table.to_csv(directory / f"{extract.file}.csv", index=False, lineterminator="\n")


def leaving_probability(employees: Employees) -> NDArray[np.float64]:
    """Return each employee's probability to leave: the additive effects, through the logistic function."""
    log_odds = np.full(len(employees["age"]), facts().base_value)
    for name, effect in facts().effects.items():
        if TECHNOVA.by_name[name].numeric:
            log_odds += np.interp(employees[name], effect["at"], effect["log_odds"])
        else:
            by_value = dict(zip(effect["at"], effect["log_odds"], strict=True))
            log_odds += np.vectorize(by_value.__getitem__, otypes=[float])(employees[name])
    return np.asarray(expit(log_odds))


def _numbers(rows: int, random: np.random.Generator) -> Employees:
    """Draw the numbers: correlated normal variables, each sent through a quantile function."""
    correlation = facts().correlation
    mixed = (1 - INDEPENDENCE) * correlation + INDEPENDENCE * np.eye(len(correlation))
    latent = random.standard_normal((rows, len(mixed))) @ np.linalg.cholesky(mixed).T
    shares = dict(zip(facts().correlated, ndtr(latent).T, strict=True))
    measured = facts().numbers
    drawn = {
        name: _quantile(quantiles, shares[name])
        for name, quantiles in measured.items()
        if "given" not in quantiles
    }
    for name, quantiles in measured.items():
        if "given" in quantiles:
            drawn[name] = _quantile_given(quantiles["by"], drawn[quantiles["given"]], shares[name])
    return drawn


def _quantile(measured: dict[str, Any], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    if measured.get("smooth"):
        return np.asarray(np.interp(shares, measured["shares"], measured["values"]).round(), dtype=np.int64)
    place = np.searchsorted(measured["shares"], shares).clip(max=len(measured["values"]) - 1)
    return np.asarray(np.array(measured["values"])[place], dtype=np.int64)


def _quantile_given(
    by: dict[str, dict[str, Any]], given: NDArray[np.int64], shares: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Draw each group's values by their own quantiles; who is ahead in a group stays ahead."""
    drawn = np.zeros(len(shares), dtype=np.int64)
    for value, measured in by.items():
        rows = given == int(value)
        ranks = np.argsort(np.argsort(shares[rows]))
        drawn[rows] = _quantile(measured, (ranks + 0.5) / len(ranks))
    return drawn


def _respect_careers(employees: Employees) -> None:
    """Cut what no career allows, the longest stretch first."""
    longest = (employees["age"] - _GROWN_UP).clip(min=0)
    employees["annee_experience_totale"] = np.minimum(employees["annee_experience_totale"], longest)
    for smaller, larger, margin in TECHNOVA.implausible[1:]:
        employees[smaller] = np.minimum(employees[smaller], employees[larger] - margin)


def _category(
    name: str, measured: dict[str, Any], employees: Employees, random: np.random.Generator
) -> NDArray[Any]:
    """Draw a category, by the shares that hold given another field's value where that is measured."""
    drawn = random.random(len(employees["age"]))
    place = np.zeros(len(drawn), dtype=np.int64)
    given = measured["given"]
    for value, shares in measured["shares"].items():
        rows = employees[given].astype(str) == value if given else np.full(len(drawn), fill_value=True)
        place[rows] = np.searchsorted(np.cumsum(shares), drawn[rows]).clip(max=len(shares) - 1)
    return np.array(TECHNOVA.by_name[name].categories)[place]


def _extract(employees: pd.DataFrame, extract: str) -> pd.DataFrame:
    """Return one extract as the HR systems write it, quirks included."""
    ids = employees["employee_id"].astype(str)
    written = employees.assign(
        id_employee=ids,
        eval_number="E_" + ids,
        code_sondage="00000" + ids,
        augementation_salaire_precedente=employees["augmentation_salaire_precedente"].astype(str) + " %",
        annes_sous_responsable_actuel=employees["annees_sous_responsable_actuel"],
        nombre_heures_travailless=80,
        nombre_employee_sous_responsabilite=1,
        ayant_enfants="Y",
    )
    return written[list(_COLUMNS[extract])]
