"""`churn model`: which models there are, which one serves, and which is better."""

from pathlib import Path
from typing import Any

import click
import pandas as pd
from rich.console import Console

from churn import domain, registry
from churn.batch.labelled import read_labelled
from churn.cli.console import make_console, noting, table_of
from churn.cli.figures import SHORT_TITLES, TITLES, progress_bar, signal_line
from churn.cli.notation import notation_options, separator
from churn.columns import ColumnScorecard
from churn.domain import Mark
from churn.registry import ServedModel, promotions
from churn.settings import load
from churn.training.comparison import Difference, Opinion, compare
from churn.training.signal import Signal


@click.group()
def model() -> None:
    """List, show, compare, promote and roll back the models of the store (in BENTOML_HOME)."""


@model.command("list")
def list_models() -> None:
    """List the models, the newest first; the one that serves is marked."""
    promoted = promotions.promoted(registry.home())
    table = table_of("tag", "serves", "created", *SHORT_TITLES.values(), "data")
    entries = registry.models()
    for entry in entries:
        facts: Any = entry.info.metadata
        metrics = facts.get("metrics", {})
        # An older version of churn kept fewer figures.
        figures = [f"{metrics[name]['mean']:.4f}" if name in metrics else "?" for name in SHORT_TITLES]
        created = f"{entry.info.creation_time:%Y-%m-%d %H:%M}"
        mark = "yes" if str(entry.tag) == promoted else ""
        table.add_row(str(entry.tag), mark, created, *figures, facts.get("data_fingerprint", "?")[7:15])
    if entries:
        make_console().print(table)
    else:
        click.echo(f"no model in the store {registry.home()}: run `churn train --data DIR`")


@model.command()
def current() -> None:
    """Print the tag of the model that serves, and nothing else."""
    click.echo(registry.find(load().model).tag)


@model.command()
@click.argument("tag", required=False, default="")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write its report and model card to this folder."
)
def show(tag: str, out: Path | None) -> None:
    """Show a model's figures and self-test; without TAG, those of the model that serves."""
    found = registry.load(tag or load().model)
    _show(make_console(), found)
    if out is not None:
        for path in registry.write_documents(found.tag, out):
            click.echo(str(path))


def _show(console: Console, found: ServedModel) -> None:
    report = found.report
    console.print(found.tag, highlight=False)
    if signal := report.get("signal"):
        console.print(signal_line(Signal(**signal)), highlight=False)
    table = table_of("figure", "mean", "± sd")
    for name, title in TITLES.items():
        table.add_row(title, *(f"{report['metrics'][name][part]:.4f}" for part in ("mean", "sd")))
    console.print(table)
    console.print(f"threshold {found.threshold:.4f} (by {report['threshold']['policy']})")
    console.print(
        f"{report['n_rows']} employees, {report['n_departures']} departures; {report['created_at']}"
    )
    console.print(f"data {report['data_fingerprint']}", highlight=False)
    console.print(f"left out: {', '.join(report['left_out']) or 'nothing'}")
    console.print(
        "self-test: " + ("passed" if found.self_test.passed else "; ".join(found.self_test.failures))
    )
    console.print(registry.pickle_readers(report["library_versions"]), highlight=False)
    for note in found.self_test.notes:
        console.print(f"note: {note}")


@model.command("compare")
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
    """Compare two models on the same labelled employees, with intervals by bootstrap."""
    console = make_console()
    models = [registry.load(tag) for tag in (first, second)]
    marks = separator(decimal, thousands)
    employees = read_labelled(data, thousands=marks, tell=noting(console))
    left = (employees[domain.TARGET.name] == domain.LEFT).to_numpy(dtype=bool)
    one, other = (_opinion(found, employees) for found in models)
    with progress_bar(console, "Comparing") as advance:
        differences = compare(left, one, other, progress=advance)
    console.print(f"{len(left)} employees, {int(left.sum())} departures")
    console.print(f"A is {models[0].tag}, B is {models[1].tag}", highlight=False)
    table = table_of("figure", "A", "B", "B - A", "95 % interval", "")
    for name, found in differences.items():
        table.add_row(TITLES[name], *_row(found))
    console.print(table)
    console.print("If either was trained on these employees, its figures here are too good.")


def _row(found: Difference) -> tuple[str, ...]:
    return (
        f"{found.first:.4f}",
        f"{found.second:.4f}",
        f"{found.second - found.first:+.4f}",
        f"{found.low:+.4f} to {found.high:+.4f}",
        "more than chance" if found.beyond_chance else "",
    )


def _opinion(found: ServedModel, employees: pd.DataFrame) -> Opinion:
    return Opinion(ColumnScorecard(found.scorecard).probabilities(employees), found.threshold)


@model.command()
@click.argument("tag")
@click.option("--force", is_flag=True, help="Even if it is no better than chance.")
def promote(tag: str, force: bool) -> None:
    """Make a model the one that serves, from the next start on.

    It must pass its self-test, and be better than chance.
    """
    found = registry.load(tag)
    found.self_test.require(found.tag)
    if not force:
        registry.require_signal(found.tag, found.report)
    promotions.promote(registry.home(), found.tag)
    click.echo(f"{found.tag} serves from the next start on")


@model.command()
def rollback() -> None:
    """Take the last promotion back: the model before it serves from the next start on."""
    click.echo(f"{promotions.rollback(registry.home())} serves again, from the next start on")
