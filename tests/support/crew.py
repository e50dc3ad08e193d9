"""A company that is not TechnoVa: its dictionary as a file, and its employees in one table or in two."""

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 300
TEAMS = {"Deck": 0.3, "deck": 0.2, "Engine": 0.3, "Galley": 0.17, "Bridge": 0.03}

CREW = """\
format = 1
name = "crew"
audited = ["sex"]

[fields.employee_id]
role = "identifier"
aliases = ["badge"]

[fields.sex]
kind = "category"
role = "protected"
categories = ["w", "m"]

[fields.pay]
kind = "number"
role = "core"
labels = { fr = "Paie", en = "Pay" }
unit = "CHF"

[fields.team]
kind = "category"
labels = { fr = "Équipe", en = "Team" }
learned = { minimum_count = 20, other = "other teams" }

[fields.hired]
kind = "date"
role = "core"
labels = { fr = "Embauche", en = "Hired" }
reference = 2026-06-30
date_format = "%d/%m/%Y"

[fields.nights]
kind = "yes/no"
role = "core"
labels = { fr = "Travail de nuit", en = "Night shifts" }
value_labels = { Yes = { fr = "Oui", en = "Yes" }, No = { fr = "Non", en = "No" } }

[fields.gone]
kind = "yes/no"
role = "target"
positive = "Yes"
labels = { fr = "Est parti", en = "Has left" }

[fields.ship]
role = "ignored"

[levers.nights]
order = ["Yes", "No"]

[examples.leaver]
pay = 4000
hired = 2026-01-15
nights = "Yes"

[examples.changes]
nights = "No"
"""

# The same of two files, joined by an id.
SOURCES = """
[sources.people]
file = "crew_list"
id_column = "person"

[sources.survey]
file = "crew_survey"
id_column = "who"
id = "P-{id}"
zero_padded = true
"""
OF_SURVEY = ("nights", "gone")


def employees(rows: int = ROWS) -> pd.DataFrame:
    """Return the crew, who leave for their night shifts, one row each."""
    random = np.random.default_rng(3)
    nights = random.random(rows) < 0.4
    gone = random.random(rows) < np.where(nights, 0.7, 0.1)
    hired = pd.Timestamp("2026-06-30") - pd.to_timedelta(random.integers(30, 9000, rows), unit="D")
    return pd.DataFrame(
        {
            "badge": np.arange(1, rows + 1),
            "sex": random.choice(["w", "m"], rows),
            "pay": random.integers(3000, 9000, rows),
            "team": random.choice(list(TEAMS), rows, p=list(TEAMS.values())),
            "hired": hired.strftime("%d/%m/%Y"),
            "nights": np.where(nights, "oui", "non"),
            "gone": np.where(gone, "Yes", "No"),
            "ship": "Nordwind",
        }
    )  # fmt: skip


def write_dictionary(folder: Path, text: str = CREW) -> Path:
    """Write the dictionary of one table to a folder, and return its path."""
    path = folder / "crew.toml"
    path.write_text(text, encoding="utf-8")
    return path


def in_two_files() -> str:
    """Return the dictionary of the crew in two files."""
    blocks = []
    for block in CREW.split("\n\n"):
        name = block.partition("]")[0].removeprefix("[fields.")
        source = "survey" if name in OF_SURVEY else "people"
        blocks.append(f'{block}\nsource = "{source}"' if block.startswith("[fields.") else block)
    return "\n\n".join([blocks[0], SOURCES.strip(), *blocks[1:]])


def write_two_files(folder: Path, crew: pd.DataFrame) -> None:
    """Write the crew as two files, whose ids are written in two ways."""
    people = crew.rename(columns={"badge": "person"}).drop(columns=list(OF_SURVEY))
    people.to_csv(folder / "crew_list.csv", index=False)
    survey = crew[list(OF_SURVEY)].assign(who=[f"P-{badge:06}" for badge in crew["badge"]])
    survey.to_csv(folder / "crew_survey.csv", index=False)
