"""Two models on the same people: read, compared and printed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from churn.cli.console import table_of
from churn.cli.figures import progress_bar
from churn.cli.journal_source import read_labelled_inputs, unseen
from churn.core.errors import TrainingError
from churn.i18n import terms
from churn.i18n.formatting import ENGLISH
from churn.ingest.data_frames import labelled_frame
from churn.model.registry import ServedModel
from churn.model.vectorized import ColumnScorecard
from churn.schemas.performance_query import YEAR
from churn.training.comparison import MetricDifference, Scores, compare
from churn.training.thresholds import HasLeft

if TYPE_CHECKING:
    import pandas as pd

Tables = Sequence["pd.DataFrame"]  # the same employees in the same order, as each model's dictionary has them


def show_differences(
    console: Console, models: Sequence[ServedModel], tables: Tables, has_left: HasLeft
) -> None:
    """Print both models' figures, and which differences are more than chance.

    Raises:
        TrainingError: all employees have left, or none.
    """
    scores = [_scores(model, table) for model, table in zip(models, tables, strict=True)]
    with progress_bar(console, "Comparing") as advance:
        differences = compare(has_left, *scores, progress=advance)
    console.print(f"{len(has_left)} employees, {int(has_left.sum())} departures")
    console.print(f"A is {models[0].tag}, B is {models[1].tag}", highlight=False)
    table = table_of("figure", "A", "B", "B - A", "95% interval", "")
    for name, difference in differences.items():
        table.add_row(terms.metric_name(name, ENGLISH), *_row(difference))
    console.print(table)


def show_differences_on_journal(console: Console, models: Sequence[ServedModel], horizon: int = 0) -> None:
    """Print how two models differ on people of the journal from whom neither has learned.

    The horizon, in days, is by default that of the model that learned from the journal.

    Raises:
        TrainingError: there are none, all have left, or none has.
        DatabaseError: the journal cannot be read.
    """
    horizon = horizon or max(_horizon(model) for model in models) or YEAR
    is_unseen = unseen(model.report for model in models)
    found = read_labelled_inputs(models[-1].dictionary, horizon, is_unseen)
    if not any(found.left) or all(found.left):
        raise TrainingError(
            f"the journal has {len(found.left)} employees from whom neither model has learned and of whom it "
            f"is known what became of them within {horizon} days, {sum(found.left)} of them leavers: "
            "expected leavers and others. Record more outcomes (`churn outcomes FILE`), or shorten --horizon"
        )
    people = found.employee_ids, found.records, found.left
    tables = [labelled_frame(*people, model.dictionary) for model in models]
    show_differences(console, models, tables, np.array(found.left))


def show_against_current(console: Console, current: ServedModel, model: ServedModel) -> None:
    """Print how a model that learned from the journal differs from the current one, or why that is not known.

    Raises:
        DatabaseError: the journal cannot be read.
    """
    try:
        show_differences_on_journal(console, [current, model])
    except TrainingError as error:
        console.print(f"not compared: {error}", highlight=False)


def _horizon(model: ServedModel) -> int:
    return int((model.report.get("journal") or {}).get("horizon_days", 0))


def _scores(model: ServedModel, employees: "pd.DataFrame") -> Scores:
    card = ColumnScorecard(model.scorecard, model.dictionary)
    return Scores(card.probabilities(employees), model.threshold)


def _row(difference: MetricDifference) -> tuple[str, ...]:
    return (
        f"{difference.first:.4f}",
        f"{difference.second:.4f}",
        f"{difference.second - difference.first:+.4f}",
        f"{difference.low:+.4f} to {difference.high:+.4f}",
        "more than chance" if difference.beyond_chance else "",
    )
