"""Figures on the console: tables and progress."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from churn.training.plan import Progress as Advance
from churn.training.report import TrainingReport

TITLES = {
    "roc_auc": "ROC-AUC",
    "roc_auc_core_only": "ROC-AUC, core fields only",
    "average_precision": "average precision",
    "brier": "Brier score (lower is better)",
    "log_loss": "log loss (lower is better)",
    "calibration_error": "calibration error (lower is better)",
    "f2": "F2 at the threshold",
    "recall": "recall at the threshold",
    "precision": "precision at the threshold",
    "flagged": "flagged at the threshold",
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


def print_report(console: Console, found: TrainingReport) -> None:
    """Print what a training found out."""
    console.print(
        f"{found.n_rows} employees, {found.n_departures} departures, {len(found.fields)} fields; "
        f"left out: {', '.join(found.left_out) or 'none'}"
    )
    console.print(_metrics(found))
    console.print(f"threshold {found.threshold.value:.4f} (by {found.threshold.policy})")
    console.print(_choices(found))
    console.print(_fairness(found))
    if found.challengers:
        console.print(_challengers(found))


def table_of(title: str, first: str, *columns: str) -> Table:
    """Return an empty table: its first column for names, the others for numbers."""
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _metrics(found: TrainingReport) -> Table:
    table = table_of(
        f"{found.repeats} × {found.folds}-fold nested cross-validation", "figure", "mean", "± sd"
    )
    for name, title in TITLES.items():
        table.add_row(title, f"{found.metrics[name].mean:.4f}", f"{found.metrics[name].sd:.4f}")
    return table


def _choices(found: TrainingReport) -> Table:
    columns = ("threshold", "flagged", "of them left", "missed", "false alarms")
    table = table_of("What each threshold would cost (employees, out of fold)", "policy", *columns)
    for one in found.choices:
        counts = (one.flagged, one.found, one.missed, one.false_alarms)
        table.add_row(one.policy, f"{one.threshold:.3f}", *(f"{count:.0f}" for count in counts))
    return table


def _fairness(found: TrainingReport) -> Table:
    columns = ("employees", "left", "flagged", "recall", "precision", "overstated by")
    table = table_of("Fairness audit (out of fold)", "group", *columns)
    for audit in found.fairness:
        ratio = "?" if audit.ratio.value is None else f"{audit.ratio.value:.2f}"
        verdict = "passes" if audit.passes_four_fifths else "does not pass"
        table.add_section()
        table.add_row(f"[bold]{audit.field}[/bold]: least/largest flagged {ratio}, {verdict} four fifths")
        for group in audit.groups:
            figures = (group.selection_rate, group.recall, group.precision, group.calibration_gap)
            shown = ("?" if figure.value is None else f"{figure.value:.3f}" for figure in figures)
            table.add_row(
                f"  {group.group}{' (small)' * group.small}", str(group.n), str(group.departures), *shown
            )
    return table


def _challengers(found: TrainingReport) -> Table:
    names = ("roc_auc", "average_precision", "brier", "calibration_error")
    table = table_of("Challengers, on the same folds", "model", *(TITLES[name] for name in names))
    everyone = {"this model": found.metrics} | {
        CHALLENGERS[one.name]: one.metrics for one in found.challengers
    }
    for title, metrics in everyone.items():
        table.add_row(title, *(f"{metrics[name].mean:.4f} ± {metrics[name].sd:.4f}" for name in names))
    return table
