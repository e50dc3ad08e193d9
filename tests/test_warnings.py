"""`churn score` warns as the API does: in a column of the output, and in sum at the end."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from churn.batch.warnings import SEPARATOR
from churn.cli.main import main
from churn.core.language import Language
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from tests.support.company import MODELS
from tests.support.tables import employees, read, write


@pytest.fixture(autouse=True)
def _served(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_MODEL", model.tag)


def score(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


def odd(rows: int = 60) -> pd.DataFrame:
    """Return employees of whom some are unlike any that the model has seen, or can hardly be."""
    table = employees(rows).astype({"revenu_mensuel": float, "age": "Int64"})
    table.loc[::3, "revenu_mensuel"] = [5.993 + n for n in range(len(table.loc[::3]))]
    table.loc[::5, "annees_dans_l_entreprise"] = 41
    table.loc[::7, "distance_domicile_travail"] = 100
    table.loc[::4, "age"] = pd.NA
    return table


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_each_row_has_the_warnings_of_the_api(
    tmp_path: Path, model: ServedModel, language: Language, suffix: str
) -> None:
    source = write(tmp_path / f"in{suffix}", odd())
    assert score(source, "-o", tmp_path / f"out{suffix}", "--language", language).exit_code == 0
    scorer, expected = Scorer(model), []
    for record in odd().astype(object).to_dict("records"):
        employee = MODELS.employee.model_validate(
            {str(k): None if v is pd.NA else v for k, v in record.items()}
        )
        (scored,) = scorer.score([employee])
        expected.append(SEPARATOR.join(scorer.answer(scored, language).warnings))
    assert [row["warnings"] for row in read(tmp_path / f"out{suffix}")] == expected
    assert any(SEPARATOR in text for text in expected)
    assert "" in expected


def test_nothing_to_warn_of(tmp_path: Path) -> None:
    plain = employees(300)
    score(write(tmp_path / "all.csv", plain), "-o", tmp_path / "all.out.csv")
    usual = [not row["warnings"] for row in read(tmp_path / "all.out.csv")]
    assert any(usual)
    result = score(write(tmp_path / "in.csv", plain[usual]), "-o", tmp_path / "out.csv")
    assert not any(row["warnings"] for row in read(tmp_path / "out.csv"))
    assert "outside" not in result.output
    assert "WARNING" not in result.output


def test_the_summary_counts_and_is_loud_where_most_rows_are_odd(tmp_path: Path, model: ServedModel) -> None:
    low, high = model.seen["revenu_mensuel"]
    unseen = f"lie outside what the model has seen ({low:g} – {high:g})"
    table = employees(300).astype({"revenu_mensuel": float})
    divided = write(tmp_path / "divided.csv", table.assign(revenu_mensuel=table["revenu_mensuel"] / 1000))
    loud = score(divided, "-o", tmp_path / "divided.out.csv", "--thousands", ",")
    assert f"WARNING: Monthly income: 300 of 300 {unseen}" in loud.output
    assert "Check the units and separators of these columns before you use the scores" in loud.output
    table.loc[:2, "revenu_mensuel"] = 1e6
    table.loc[3:9, "annees_dans_l_entreprise"] = table["annee_experience_totale"] + 1
    some = score(write(tmp_path / "some.csv", table), "-o", tmp_path / "some.out.csv")
    assert f"\nMonthly income: 3 of 300 {unseen}" in some.output
    assert "\nYears with the company with Total experience: 7 of 300 are implausible" in some.output
    assert "WARNING: Monthly income" not in some.output
    # No employee's value is in what is said: they are in the output, on the operator's disk.
    assert "1000000" not in some.output


def test_a_folder_is_warned_of_too(tmp_path: Path, sample: Path, model: ServedModel) -> None:
    result = score(sample, "-o", tmp_path / "out.csv")
    warned = [row for row in read(tmp_path / "out.csv") if row["warnings"]]
    assert len(warned) < 600
    assert "WARNING" not in result.output
