"""A year of made-up people: what they were when predicted about, and what became of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churn.dictionary.technova import TECHNOVA
from churn.model.sample import make_employees

TODAY = datetime.now(UTC).date()


@dataclass(frozen=True)
class Year:
    """People who were predicted about, whether they left within a year, and after how many days."""

    records: list[dict[str, Any]]
    left: Sequence[bool]
    after: Sequence[int]

    def outcomes(self, days: int, first: int = 0) -> pd.DataFrame:
        """Return what is known of them so many days later."""
        start = TODAY - timedelta(days=days)
        gone = [left and after <= days for left, after in zip(self.left, self.after, strict=True)]
        ends = [f"{start + timedelta(days=after):%d/%m/%Y}" for after in self.after]
        return pd.DataFrame(
            {
                "Matricule": range(first, first + len(self.records)),
                "Date de départ": [end if is_gone else "" for end, is_gone in zip(ends, gone, strict=True)],
            }
        )

    def sent(self, days: int) -> list[dict[str, Any]]:
        """Return what has become of all of them after a year, as a program says it so many days later."""
        start = TODAY - timedelta(days=days)
        return [
            {
                "employee_id": str(record["employee_id"]),
                "left_on": str(start + timedelta(days=after)) if left else None,
                "known_until": str(TODAY),
            }
            for record, left, after in zip(self.records, self.left, self.after, strict=True)
        ]


def year(rows: int, seed: int, first: int = 0) -> Year:
    """Return so many people, whose ids begin with a number."""
    table = make_employees(rows, seed)
    left = (table[TECHNOVA.target.name] == TECHNOVA.left).tolist()
    after = np.random.default_rng(seed).integers(20, 360, rows).tolist()
    records = json.loads(table.drop(columns=[TECHNOVA.target.name]).to_json(orient="records"))
    return Year([{**record, "employee_id": first + n} for n, record in enumerate(records)], left, after)


def written(folder: Path, table: pd.DataFrame | list[dict[str, Any]]) -> Path:
    """Write outcomes as people have them, and return the file."""
    path = folder / "outcomes.csv"
    pd.DataFrame(table).to_csv(path, index=False, sep=";")
    return path
