"""Flat tables of synthetic employees, for the tests that score files."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from churn.dictionary.technova import TECHNOVA
from churn.model.sample import make_employees

EMPLOYEES = make_employees(300, seed=5)
CORE = [field.name for field in TECHNOVA.core]


def employees(rows: int = 300) -> pd.DataFrame:
    """Return the first synthetic employees, without the target."""
    return EMPLOYEES.head(rows).drop(columns=TECHNOVA.target.name)


def write(path: Path, table: pd.DataFrame, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Write a table as the path's suffix says."""
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep=delimiter, encoding=encoding)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an output, CSV or Parquet, as plain values."""
    if path.suffix == ".parquet":
        table = pd.read_parquet(path).astype(object)
        return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
