"""`churn model compare`: which of two models is better."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd

from churn.cli.company import DICTIONARY
from churn.cli.console import make_console, noting, table_of
from churn.cli.figures import progress_bar
from churn.cli.number_options import notation_options, separator
from churn.core.errors import TrainingError
from churn.i18n import terms
from churn.i18n.formatting import ENGLISH
from churn.ingest.labelled import read_labelled
from churn.ingest.mark import Mark
from churn.model import registry
from churn.model.registry import ServedModel
from churn.model.vectorized import ColumnScorecard
from churn.training import have_left
from churn.training.comparison import MetricDifference, Scores, compare
from churn.training.thresholds import HasLeft


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Labelled employees: a folder of the three extracts, or one .csv or .parquet file.",
)
@notation_options
def compare_models(first: str, second: str, data: Path, decimal: Mark | None, thousands: Mark | None) -> None:
    """Compare two models on the same labelled employees, with bootstrap intervals."""
    console = make_console()
    models = [registry.load(tag, DICTIONARY) for tag in (first, second)]
    marks, tell = separator(decimal, thousands), noting(console)
    if models[0].dictionary is models[1].dictionary:
        tables = [read_labelled(data, models[0].dictionary, thousands=marks, tell=tell)] * 2
    else:
        tables = [
            read_labelled(data, mine.dictionary, ignore=_foreign(mine, other), thousands=marks, tell=tell)
            for mine, other in (models, reversed(models))
        ]
    has_left = _agreed([have_left(table, m.dictionary) for m, table in zip(models, tables, strict=True)])
    scores = [_scores(*both) for both in zip(models, tables, strict=True)]
    with progress_bar(console, "Comparing") as advance:
        differences = compare(has_left, *scores, progress=advance)
    console.print(f"{len(has_left)} employees, {int(has_left.sum())} departures")
    console.print(f"A is {models[0].tag}, B is {models[1].tag}", highlight=False)
    table = table_of("figure", "A", "B", "B - A", "95% interval", "")
    for name, difference in differences.items():
        table.add_row(terms.metric_name(name, ENGLISH), *_row(difference))
    console.print(table)
    console.print("If either was trained on these employees, its figures here are too good.")


def _foreign(mine: ServedModel, other: ServedModel) -> list[str]:
    """Return the names that only the other model's dictionary has: each reads the fields that it knows."""
    names = mine.dictionary.names
    spellings = (spelling for field in other.dictionary.fields for spelling in field.spellings)
    return [spelling for spelling in spellings if names.field_of(spelling) is None]


def _agreed(has_left: Sequence[HasLeft]) -> HasLeft:
    """Return who has left; raises TrainingError where the two dictionaries do not agree on that."""
    first, second = has_left
    if not np.array_equal(first, second):
        raise TrainingError(
            "the dictionaries of the two models do not agree on who of these employees have left: "
            "compare models that predict the same"
        )
    return first


def _row(difference: MetricDifference) -> tuple[str, ...]:
    return (
        f"{difference.first:.4f}",
        f"{difference.second:.4f}",
        f"{difference.second - difference.first:+.4f}",
        f"{difference.low:+.4f} to {difference.high:+.4f}",
        "more than chance" if difference.beyond_chance else "",
    )


def _scores(model: ServedModel, employees: pd.DataFrame) -> Scores:
    card = ColumnScorecard(model.scorecard, model.dictionary)
    return Scores(card.probabilities(employees), model.threshold)
