"""Measure the facts that the embedded sample is drawn from, on real extracts.

`python scripts/calibrate_sample.py --data DIR` writes churn/model/sample_facts.json: shares, quantiles,
correlations and effects, all rounded; no row of the data is kept.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model import sample
from churn.model.pipeline import build_pipeline, contributions, fit

# Which field's value each category depends on most; the order is that of drawing.
GIVEN = {
    "poste": "niveau_hierarchique_poste",
    "departement": "poste",
    "domaine_etude": "departement",
    "statut_marital": "nombre_participation_pee",
    "genre": None,
    "heure_supplementaires": None,
    "frequence_deplacement": None,
}
# A copula alone would pay some directors like assistants.
NUMBER_GIVEN = {"revenu_mensuel": "niveau_hierarchique_poste"}
SMOOTH = 20  # a number with more distinct values than this many times two is kept by quantiles
GRID = 9  # points of an effect curve
NUMBERS = [field for field in TECHNOVA.fields if field.numeric]
LEARNED = [*TECHNOVA.features, *(field for field in TECHNOVA.protected if field.name != "genre")]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the three extracts")
    employees = extracts.read(parser.parse_args().data, TECHNOVA)
    facts = {
        "correlated": [field.name for field in NUMBERS],
        "correlation": correlation(employees),
        "numbers": {
            field.name: quantiles(employees[field.name])
            for field in NUMBERS
            if field.name not in NUMBER_GIVEN
        }
        | {name: quantiles_given(employees, name, given) for name, given in NUMBER_GIVEN.items()},
        "categories": {
            name: shares(employees, TECHNOVA.by_name[name], given) for name, given in GIVEN.items()
        },
        **effects(employees),
    }
    write(facts)
    facts["base_value"] = round(base_value(employees, facts["base_value"]), 4)
    write(facts)


def write(facts: dict[str, Any]) -> None:
    """Put the facts where the sample reads them, one line a table."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items()]
    sample.FACTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    sample.facts.cache_clear()


def correlation(employees: pd.DataFrame) -> list[list[float]]:
    """Return the correlations of the numbers' normal scores."""
    scores = [ndtri((rankdata(employees[field.name]) - 0.5) / len(employees)) for field in NUMBERS]
    rounded: list[list[float]] = np.corrcoef(scores).round(2).tolist()
    return rounded


def quantiles(column: pd.Series) -> dict[str, Any]:
    """Return the share of employees up to each value, or to each of some quantiles."""
    counted = column.value_counts(normalize=True).sort_index()
    if len(counted) <= 2 * SMOOTH + 4:
        return {"values": [int(v) for v in counted.index], "shares": counted.cumsum().round(4).tolist()}
    at = np.linspace(0, 1, SMOOTH + 1).round(4)
    values = column.quantile(at.tolist()).round(-1).astype(int).tolist()
    return {"values": values, "shares": at.tolist(), "smooth": True}


def quantiles_given(employees: pd.DataFrame, name: str, given: str) -> dict[str, Any]:
    """Return a number's quantiles for each value of another number."""
    groups = employees.groupby(_as_text(employees, given))[name]
    return {"given": given, "by": {str(value): quantiles(column) for value, column in groups}}


def shares(employees: pd.DataFrame, field: Field, given: str | None) -> dict[str, Any]:
    """Return the shares of a category's values, given each value of another field."""
    groups = (
        {"": employees}
        if given is None
        else {str(v): g for v, g in employees.groupby(_as_text(employees, given))}
    )
    measured = {
        value: group[field.name].value_counts(normalize=True)[list(field.categories)].round(4).tolist()
        for value, group in groups.items()
    }
    return {"given": given, "shares": measured}


def _as_text(employees: pd.DataFrame, name: str) -> pd.Series:
    column = employees[name]
    return (column.astype(int) if TECHNOVA.by_name[name].numeric else column).astype(str)


def effects(employees: pd.DataFrame) -> dict[str, Any]:
    """Return each field's effect on leaving, in log-odds, from the additive model."""
    table = employees[[field.name for field in LEARNED]]
    has_left = (employees[TECHNOVA.target.name] == TECHNOVA.left).to_numpy()
    base, parts = contributions(fit(build_pipeline(LEARNED), table, has_left), table)
    measured = {}
    for field in LEARNED:
        curve = parts[field.name].groupby(table[field.name].astype(object)).first().sort_index()
        if field.numeric and len(curve) > GRID:
            at = np.unique(table[field.name].quantile(np.linspace(0, 1, GRID).tolist()))
            curve = pd.Series(np.interp(at, curve.index.to_numpy(float), curve.to_numpy()), index=at)
        measured[field.name] = {"at": list(curve.index), "log_odds": curve.round(3).tolist()}
    return {"effects": measured, "base_value": base}


def base_value(employees: pd.DataFrame, start: float) -> float:
    """Return the base value at which as many sample employees leave as real ones did."""
    wanted = float((employees[TECHNOVA.target.name] == TECHNOVA.left).mean())
    drawn = sample.make_employees(100_000, seed=1)
    columns = {str(name): column.to_numpy() for name, column in drawn.items()}
    log_odds = np.log(1 / (1 / sample.leaving_probability(columns) - 1))
    low, high = start - 3, start + 3
    for _ in range(40):
        middle = (low + high) / 2
        share = float(np.mean(1 / (1 + np.exp(-(log_odds - start + middle)))))
        low, high = (middle, high) if share < wanted else (low, middle)
    return (low + high) / 2


if __name__ == "__main__":
    main()
