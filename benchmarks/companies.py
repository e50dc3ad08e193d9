"""The companies of `bench_companies`: public tables as they are, and made-up ones whose truth is known."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.dictionary import embedded_files
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.dictionary.plain_dictionary import from_document
from churn.dictionary.technova import TECHNOVA
from churn.drafting.drafting import draft
from churn.drafting.toml_text import toml_text
from churn.ingest import learned_categories
from churn.ingest.labelled import read_labelled
from churn.training import have_left

SIMULATED = (60, 300, 5_000, 200_000)
SIMULATED_SHORT = (60, 300)
MISSING = 0.05

Random = np.random.Generator
Left = NDArray[np.bool_]


@dataclass(frozen=True)
class Company:
    """Employees with who of them has left; `truth` has their probabilities, where they were drawn by some."""

    name: str
    fields: tuple[Field, ...]
    table: pd.DataFrame
    has_left: Left
    truth: NDArray[np.float64] | None = None


def companies(technova: Path | None, public: Path, *, short: bool) -> Iterator[Company]:
    """Yield the companies whose files are there, and the simulated ones; few and small ones for `short`."""
    if not short:
        if technova and technova.is_dir():
            yield _read("technova", technova, TECHNOVA)
        if (file := public / "ibm_attrition.csv").is_file():
            yield _read("ibm", file, embedded_files.load("ibm"))
        if (file := public / "hr_comma_sep.csv").is_file():
            yield _read("hr", file, _drafted(file))
    for rows in SIMULATED_SHORT if short else SIMULATED:
        yield simulated(rows)


def _read(name: str, path: Path, dictionary: Dictionary) -> Company:
    """Read a company as training does; rows that repeat would be learned from and tested on."""
    dictionary = learned_categories.learn(path, dictionary)
    features = [field.name for field in dictionary.features]
    employees = read_labelled(path, dictionary)
    distinct = employees.drop_duplicates([*features, dictionary.target.name], ignore_index=True)
    return Company(name, dictionary.features, distinct[features], have_left(distinct, dictionary))


def _drafted(file: Path) -> Dictionary:
    """Return the dictionary that `churn dictionary draft` writes of a file, unreviewed."""
    return from_document(tomllib.loads(toml_text(draft([file], "drafted"))))


def _field(name: str, values: "pd.Series[Any]") -> Field:
    if pd.api.types.is_numeric_dtype(values):
        kind: Literal["integer", "number"] = "integer" if pd.api.types.is_integer_dtype(values) else "number"
        return Field(name, "", kind, "optional", (name, name))
    categories = tuple(sorted(values.dropna().unique()))
    return Field(name, "", "category", "optional", (name, name), categories=categories)


def _typed(columns: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    dtypes = {
        field.name: float if field.numeric else pd.CategoricalDtype(list(field.categories))
        for field in fields
    }
    return columns.astype(dtypes)


def simulated(rows: int, seed: int = 0) -> Company:
    """Return a company of so many people, one in five of whom leaves.

    Its departments have a few people here and there, one cell in twenty is empty, and beside curves there is
    one pair of fields of which each alone says nothing: those who work from far away leave where they have to
    come in, and those who live near where they do not.
    """
    random = np.random.default_rng(seed)
    full = _people(random, rows)
    log_odds = _truth(full)
    truth = 1 / (1 + np.exp(-log_odds))
    has_left = random.random(rows) < truth
    holes = random.random(full.shape) < MISSING
    holed = full.mask(pd.DataFrame(holes, columns=full.columns))
    fields = tuple(_field(str(column), full[column]) for column in full)
    return Company(f"simulated {rows:,}", fields, _typed(holed, fields), has_left, truth)


def _people(random: Random, rows: int) -> pd.DataFrame:
    departments = ["sales", "engineering", "support", "finance", "legal", "cleaning", "board"]
    seniority = random.gamma(1.6, 4.0, rows).clip(0, 40).round(1)
    level = random.integers(1, 6, rows)
    return pd.DataFrame(
        {
            "seniority": seniority,
            "level": level,
            "pay": (1800 * 1.22**level * np.exp(random.normal(0, 0.2, rows))).round(),
            "hours": random.normal(38, 5, rows).clip(15, 70).round(1),
            "satisfaction": random.integers(1, 5, rows),
            "distance": random.exponential(12, rows).clip(0, 120).round(1),
            "office_days": random.integers(0, 6, rows),
            "training_days": random.poisson(2, rows),
            "overtime": random.choice(["no", "yes"], rows, p=[0.7, 0.3]),
            "department": random.choice(departments, rows, p=[0.35, 0.3, 0.2, 0.1, 0.035, 0.01, 0.005]),
        }
    )


def _truth(people: pd.DataFrame) -> NDArray[np.float64]:
    far = np.tanh((people["distance"].to_numpy() - 8.3) / 4)
    present = people["office_days"].to_numpy() - 2.5
    by_department = people["department"].map({"sales": 0.4, "support": 0.6, "board": -1.0}).fillna(0.0)
    log_odds = (
        -2.35
        + 1.6 * np.exp(-people["seniority"].to_numpy() / 3)
        - 1.2 * np.log(people["pay"].to_numpy() / 3300)
        + 0.9 * (people["overtime"] == "yes").to_numpy()
        - 0.35 * (people["satisfaction"].to_numpy() - 2.5)
        + by_department.to_numpy(dtype=float)
        + 0.55 * far * present
    )
    return np.asarray(log_odds)
