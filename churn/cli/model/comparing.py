"""`churn model compare`: which of two models is better."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from churn.cli.company import DICTIONARY
from churn.cli.comparison import Tables, show_differences, show_differences_on_journal
from churn.cli.console import make_console, noting
from churn.cli.horizon import horizon_option
from churn.cli.number_options import notation_options, separator
from churn.cli.source import Tell
from churn.core.errors import TrainingError
from churn.ingest.labelled import read_labelled
from churn.ingest.mark import Mark
from churn.model import registry
from churn.model.registry import ServedModel
from churn.training import have_left
from churn.training.thresholds import HasLeft


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="Labelled employees: a folder of the dictionary's sources, or one file.",
)
@click.option(
    "--from-journal", is_flag=True, help="Instead: logged inputs with outcomes that neither has learned from."
)
@horizon_option("Of the journal: within which people left.  [default: the models', or 365]")
@notation_options
def compare_models(
    first: str,
    second: str,
    data: Path | None,
    horizon: int | None,
    decimal: Mark | None,
    thousands: Mark | None,
    *,
    from_journal: bool,
) -> None:
    """Compare two models on the same labelled employees, with bootstrap intervals."""
    if from_journal == (data is not None):
        raise click.UsageError("say where the employees are: either --data, or --from-journal")
    console = make_console()
    models = [registry.load(tag, DICTIONARY) for tag in (first, second)]
    marks = separator(decimal, thousands)
    if data is None:
        show_differences_on_journal(console, models, horizon or 0)
        return
    show_differences(console, models, *_read(models, data, marks, noting(console)))
    console.print("If either was trained on these employees, its figures here are too good.")


def _read(
    models: Sequence[ServedModel], data: Path, marks: Mark | None, tell: Tell
) -> tuple[Tables, HasLeft]:
    """Return employees as each model's dictionary has them, and who has left."""
    if models[0].dictionary is models[1].dictionary:
        tables = [read_labelled(data, models[0].dictionary, thousands=marks, tell=tell)] * 2
    else:
        tables = [
            read_labelled(data, mine.dictionary, ignore=_foreign(mine, other), thousands=marks, tell=tell)
            for mine, other in (models, reversed(models))
        ]
    has_left = [have_left(table, model.dictionary) for model, table in zip(models, tables, strict=True)]
    return tables, _agreed(has_left)


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
