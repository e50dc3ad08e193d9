"""Figures on the console: tables and progress."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from churn.cli.console import table_of
from churn.core.progress import Progress as Advance
from churn.i18n import four_fifths, limits, terms
from churn.i18n.formatting import ENGLISH


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator[Advance]:
    """Show a bar; yield the function that is told the steps done and the steps in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def print_report(console: Console, facts: Mapping[str, Any], *, brief: bool = False) -> None:
    """Print what a training found out, of `TrainingReport.to_dict()`; in brief, how good the model is."""
    print_signal(console, facts["signal"])
    console.print(
        f"{facts['n_rows']} employees, {facts['n_departures']} departures, {len(facts['fields'])} fields; "
        f"left out: {', '.join(facts['left_out']) or 'none'}"
    )
    console.print(f"\n{facts['repeats']} × {facts['folds']}-fold nested cross-validation:", highlight=False)
    print_metrics(console, facts)
    if brief:
        return
    console.print("\nWhat each threshold would cost (employees, out of fold):")
    console.print(_choices(facts))
    for audit in facts["fairness"]:
        reading = four_fifths.reading(audit, ENGLISH)
        console.print(f"\nFairness by {audit['field']}: {reading}", highlight=False, markup=False)
        console.print(_groups(audit))
    if facts["challengers"]:
        console.print("\nChallengers, on the same folds:")
        console.print(_challengers(facts))


def print_signal(console: Console, signal: Mapping[str, Any]) -> None:
    """Print whether the data show who leaves, with the interval that tells."""
    if signal["shown"]:
        console.print(f"Better than chance: {terms.roc_auc(signal, ENGLISH)}.", highlight=False)
    else:
        title, text = limits.no_signal(signal, ENGLISH)
        console.print(f"{title.upper()}: {text}", style="bold red", highlight=False)


def print_metrics(console: Console, facts: Mapping[str, Any]) -> None:
    """Print a model's figures, and its threshold."""
    table = table_of("figure", "mean", "± sd")
    for name in terms.METRICS:
        metric = facts["metrics"][name]
        table.add_row(terms.metric_name(name, ENGLISH), f"{metric['mean']:.4f}", f"{metric['sd']:.4f}")
    console.print(table)
    console.print(f"threshold {facts['threshold']['value']:.4f} (by {facts['threshold']['policy']})")


def _choices(facts: Mapping[str, Any]) -> Table:
    table = table_of("policy", "threshold", "flagged", "of them left", "missed", "false alarms")
    for choice in facts["choices"]:
        counts = (choice[name] for name in ("flagged", "found", "missed", "false_alarms"))
        table.add_row(choice["policy"], f"{choice['threshold']:.3f}", *(f"{count:.0f}" for count in counts))
    return table


def _groups(audit: Mapping[str, Any]) -> Table:
    table = table_of("group", "employees", "left", "flagged", "recall", "precision", "risk overstated by")
    for group in audit["groups"]:
        figures = (group[name] for name in ("selection_rate", "recall", "precision", "calibration_gap"))
        mark = " (small)" if group["small"] else " (few left)" * group["few_departures"]
        counts = (str(group["n"]), str(group["departures"]))
        table.add_row(
            group["group"] + mark, *counts, *(escape(ENGLISH.estimate(figure)) for figure in figures)
        )
    return table


def _challengers(facts: Mapping[str, Any]) -> Table:
    table = table_of("model", *(ENGLISH.pick(terms.METRICS[name].name) for name in terms.COMPARED))
    models = {ENGLISH.pick(terms.THIS_MODEL): facts["metrics"]} | {
        ENGLISH.pick(terms.CHALLENGERS[challenger["name"]]): challenger["metrics"]
        for challenger in facts["challengers"]
    }
    for title, metrics in models.items():
        table.add_row(title, *(ENGLISH.spread(metrics[name], 4) for name in terms.COMPARED))
    return table
