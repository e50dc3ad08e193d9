"""Files as real people have had them, which lie beside the project: each is read, or refused by its cause.

The cases of `tests/test_everyday_files.py` are made like them; these are the ones that were reported.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from churn.cli.main import main
from churn.cli.source import Source
from churn.core.errors import ExtractError
from churn.model.registry import ServedModel
from tests.support.real_data import REAL_DATA, needs_real_data
from tests.support.tables import read

pytestmark = needs_real_data

CASES = REAL_DATA.parents[1] / "cases"
PLAIN = "00_base.csv"
ROWS, TRAINING_ROWS = 12, 40
# By the name's beginning: what is said of a file that is not read.
REFUSED = {
    "10": "here 1,234 may be 1234 (--thousands ,) or 1.234 (--decimal ,)",
    "11_": "here 1.234 may be 1234 (--thousands .) or 1.234 (--decimal .)",
    "24": "commentaire: no such column: rename it, remove it, or name it with --ignore-column",
    "41": "churn dictionary draft FILE -o company.toml makes a dictionary of it",
    "55": "a header",
    "56": "at least one employee below the header",
    "59": "here each whole line stands in quotes; export the file again",
    "61": "no such column, or annees_dans_le_poste_actuel, if that is meant",
    "63": "churn dictionary draft FILE -o company.toml makes a dictionary of it",
    "64": "churn dictionary draft FILE -o company.toml makes a dictionary of it",
    "t08": "here 1,234 may be 1234 (--thousands ,) or 1.234 (--decimal ,)",
    "t14": "nom: no such column: the name is unknown",
    "t18": "a_quitte_l_entreprise is empty: one of: Oui, Non",
}
# How many rows are scored, and why others are not, by the name's beginning.
REJECTED = {
    "15": (ROWS, "not a row of totals"),
    "30": (0, "an integer"),
    "38": (0, "one of"),
    "66": (ROWS - 1, "one of"),
}
# What is said beside the scores.
NOTED = {
    "02": "Windows-1252",
    "03": "tabs, decimal commas, UTF-16",
    "11b": "1.234 is read as 1234",
    "17": "2 lines above the header passed over",
    "26": "column without a name passed over: 1",
    "38": "accents are broken",
    "60": "numbers without % are read in percent",
    "70_": "numbers without % are read in percent",
    "t06": "3 blank rows passed over",
    "t17": "UTF-16",
}
# Read alike: these have the plain file's values in another form, and so its scores.
ALIKE = (
    "01", "02", "03", "04", "13_", "13b", "14", "16", "17", "18", "19", "20", "21", "22", "25", "26",
    "29", "32", "33", "34", "35", "39", "42", "50", "51", "58", "62", "67",
)  # fmt: skip


def of(table: dict[str, str], name: str) -> str | None:
    return next((value for beginning, value in table.items() if name.startswith(beginning)), None)


def names(*, of_training: bool) -> list[str]:
    """Return the cases that go to `churn score`, or to `churn train`."""
    found = sorted(path.name for path in CASES.iterdir()) if CASES.is_dir() else []
    chosen = "t" if of_training else tuple("0123456789")
    return [name for name in found if name.startswith(chosen)]


@pytest.fixture(autouse=True)
def _served(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_MODEL", model.tag)


def probabilities(name: str, folder: Path) -> tuple[list[str], str]:
    """Return the probabilities of a file's employees, and what is said of the file."""
    out = folder / f"{name}.out.csv"
    done = CliRunner().invoke(main, ["score", str(CASES / name), "-o", str(out)])
    said = " ".join(done.output.split())
    return [row["probability"] for row in read(out)] if out.exists() else [], said


def test_there_are_some() -> None:
    assert len(names(of_training=False)) > 50
    assert len(names(of_training=True)) > 10


@pytest.mark.parametrize("name", names(of_training=False))
def test_a_file_is_scored_or_refused_by_its_cause(name: str, tmp_path: Path) -> None:
    found, said = probabilities(name, tmp_path)
    if says := of(REFUSED, name):
        assert (found, says in said) == ([], True), said
        return
    scored, why = next((value for start, value in REJECTED.items() if name.startswith(start)), (ROWS, ""))
    assert len(found) == scored
    assert (of(NOTED, name) or "") in said
    if why:
        assert why in (tmp_path / f"{name}.out.rejects.csv").read_text(encoding="utf-8")
    if name.startswith(ALIKE):
        assert found == probabilities(PLAIN, tmp_path)[0]


@pytest.mark.parametrize("name", names(of_training=True))
def test_extracts_are_read_or_refused_by_their_cause(name: str) -> None:
    notes: list[str] = []
    if says := of(REFUSED, name):
        with pytest.raises(ExtractError) as caught:
            Source(CASES / name).read(notes.append)
        assert says in str(caught.value)
    else:
        assert len(Source(CASES / name).read(notes.append).employees) == TRAINING_ROWS
        assert any((of(NOTED, name) or "") in note for note in notes)
