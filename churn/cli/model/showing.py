"""`churn model show`: a model's figures and self-test."""

from pathlib import Path

import click
from rich.console import Console

from churn.cli.company import DICTIONARY
from churn.cli.console import make_console
from churn.cli.figures import print_metrics, print_signal
from churn.core.settings import load
from churn.model import registry
from churn.model.registry import ServedModel


@click.command()
@click.argument("tag", required=False, default="")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write its report and model card to this folder."
)
def show(tag: str, out: Path | None) -> None:
    """Show a model's figures and self-test. Without TAG, show the model that serves."""
    model = registry.load(tag or load().model, DICTIONARY)
    _show(make_console(), model)
    if out is not None:
        # Imported here: figures are shown without what draws.
        from churn.cli.documents import write_documents  # noqa: PLC0415

        for path in write_documents(model, out):
            click.echo(str(path))


def _show(console: Console, model: ServedModel) -> None:
    report = model.report
    console.print(model.tag, highlight=False)
    if signal := report.get("signal"):
        print_signal(console, signal)
    print_metrics(console, report)
    console.print(
        f"{report['n_rows']} employees, {report['n_departures']} departures; {report['created_at']}"
    )
    console.print(f"data {report['data_fingerprint']}", highlight=False)
    console.print(f"dictionary {model.dictionary.name}", highlight=False)
    console.print(f"left out: {', '.join(report['left_out']) or 'nothing'}")
    console.print(
        "self-test: " + ("passed" if model.self_test.passed else "; ".join(model.self_test.failures))
    )
    if registry.has_pickle(model.tag):
        console.print(registry.pickle_readers(report["library_versions"]), highlight=False)
    for note in model.self_test.notes:
        console.print(f"note: {note}")
