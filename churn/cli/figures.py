"""Figures on the console: tables and progress."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from churn.cli.console import table_of
from churn.cli.titles import SHORT_TITLES, TITLES
from churn.core.progress import Progress as Advance
from churn.training.fairness import Audit, Estimate, Verdict
from churn.training.signal import Signal
from churn.training.training_report import TrainingReport

VERDICTS: dict[Verdict, str] = {
    "passes": "passes the four-fifths rule",
    "fails": "does not pass the four-fifths rule",
    "cannot_tell": "whether it passes the four-fifths rule cannot be told",
}

CHALLENGERS = {
    "with_protected": "with the protected fields",
    "core_only": "core fields, a model of their own",
    "linear": "linear logistic regression",
    "forest": "random forest",
    "boosting": "gradient boosting",
    "ebm": "explainable boosting (EBM)",
}


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator[Advance]:
    """Show a bar; yield the function that is told the steps done and the steps in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def print_report(console: Console, found: TrainingReport, *, brief: bool = False) -> None:
    """Print what a training found out; in brief, how good the model is."""
    console.print(signal_line(found.signal), style="" if found.signal.shown else "bold red", highlight=False)
    console.print(
        f"{found.n_rows} employees, {found.n_departures} departures, {len(found.fields)} fields; "
        f"left out: {', '.join(found.left_out) or 'none'}"
    )
    console.print(f"\n{found.repeats} × {found.folds}-fold nested cross-validation:", highlight=False)
    console.print(_metrics(found))
    console.print(f"threshold {found.threshold.value:.4f} (by {found.threshold.policy})")
    if brief:
        return
    console.print("\nWhat each threshold would cost (employees, out of fold):")
    console.print(_choices(found))
    for audit in found.fairness:
        console.print(_verdict(audit), highlight=False, markup=False)
        console.print(_groups(audit))
    if found.challengers:
        console.print("\nChallengers, on the same folds:")
        console.print(_challengers(found))


def signal_line(found: Signal) -> str:
    """Return whether the data show who leaves, with the interval that tells."""
    area = f"ROC-AUC {found.roc_auc:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}"
    if found.shown:
        return f"Better than chance: {area}."
    return f"NO BETTER THAN CHANCE: these data do not show who leaves ({area})."


def _metrics(found: TrainingReport) -> Table:
    table = table_of("figure", "mean", "± sd")
    for name, title in TITLES.items():
        table.add_row(title, f"{found.metrics[name].mean:.4f}", f"{found.metrics[name].sd:.4f}")
    return table


def _choices(found: TrainingReport) -> Table:
    columns = ("threshold", "flagged", "of them left", "missed", "false alarms")
    table = table_of("policy", *columns)
    for one in found.choices:
        counts = (one.flagged, one.found, one.missed, one.false_alarms)
        table.add_row(one.policy, f"{one.threshold:.3f}", *(f"{count:.0f}" for count in counts))
    return table


def _verdict(audit: Audit) -> str:
    ratio = _estimate(audit.ratio)
    apart = ", ".join(group.group for group in audit.groups if group.small)
    return (
        f"\nFairness by {audit.field}: least over largest flagged {ratio}, {VERDICTS[audit.four_fifths]}"
        + f"; set apart, as small: {apart}" * bool(apart)
    )


def _groups(audit: Audit) -> Table:
    table = table_of("group", "employees", "left", "flagged", "recall", "precision", "risk overstated by")
    for group in audit.groups:
        figures = (group.selection_rate, group.recall, group.precision, group.calibration_gap)
        name = f"{group.group}{' (small)' if group.small else ' (few left)' * group.few_departures}"
        table.add_row(name, str(group.n), str(group.departures), *(escape(_estimate(f)) for f in figures))
    return table


def _estimate(found: Estimate) -> str:
    if found.value is None:
        return "?"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _challengers(found: TrainingReport) -> Table:
    table = table_of("model", *SHORT_TITLES.values())
    everyone = {"this model": found.metrics} | {
        CHALLENGERS[one.name]: one.metrics for one in found.challengers
    }
    for title, metrics in everyone.items():
        table.add_row(title, *(f"{metrics[name].mean:.4f} ± {metrics[name].sd:.4f}" for name in SHORT_TITLES))
    return table
