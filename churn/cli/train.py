"""`churn train`: read, fit, evaluate, export."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from churn import extracts, registry, training
from churn.pipeline import compile_scorecard
from churn.sample import write_sample
from churn.settings import load
from churn.training import TrainedModel

SAMPLE_ROWS = 1500

_TITLES = {
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "brier": "Brier score (lower is better)",
    "f2": "F2 at the threshold",
    "recall": "recall at the threshold",
    "precision": "precision at the threshold",
}


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of the three extracts extrait_sirh, extrait_eval and extrait_sondage, each .csv or "
    ".parquet.  [default: the embedded sample]",
)
@click.option(
    "--threshold-metric",
    type=click.Choice(sorted(training.THRESHOLD_METRICS)),
    default="f2",
    show_default=True,
    help="What the decision threshold makes as large as it can, inside the folds.",
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Folds of one pass.")
@click.option("--repeats", type=click.IntRange(min=1), default=4, show_default=True, help="Passes.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every split.")
def train(data: Path | None, threshold_metric: str, folds: int, repeats: int, seed: int) -> None:
    """Train on three HR extracts and put the model in the BentoML store.

    Reads and checks the extracts, cross-validates (everything learned inside the folds, the
    threshold too), fits on all rows and exports pipeline, threshold and figures. Prints the tag;
    the service takes the newest model unless CHURN_MODEL names another.
    """
    train_and_export(data, threshold_metric=threshold_metric, folds=folds, repeats=repeats, seed=seed)


def train_and_export(
    data: Path | None, *, threshold_metric: str = "f2", folds: int = 5, repeats: int = 4, seed: int = 0
) -> str:
    """Train on the extracts in a folder, or on the embedded sample; print the figures, return the tag.

    Raises:
        ExtractError, TrainingError: the data cannot be used; the message lists why.
    """
    console = Console()
    directory = data or embedded_sample()
    frame = extracts.read(directory)
    fingerprint = extracts.fingerprint(directory)
    with _progress(console, "Cross-validating") as advance:
        trained = training.train(
            frame,
            threshold_metric=threshold_metric,
            folds=folds,
            repeats=repeats,
            seed=seed,
            progress=advance,
        )
    tag = registry.save(
        trained.pipeline, compile_scorecard(trained.pipeline), trained.report.to_dict(), fingerprint
    )
    _print_figures(console, trained, tag)
    return tag


def embedded_sample() -> Path:
    """Return the folder of the sample extracts, written beside the model store if not there yet."""
    directory = load().bentoml_home / "sample"
    if not (directory / "extrait_sondage.csv").exists():
        directory.mkdir(parents=True, exist_ok=True)
        write_sample(directory, rows=SAMPLE_ROWS)
    return directory


@contextmanager
def _progress(console: Console, title: str) -> Iterator[training.Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _print_figures(console: Console, trained: TrainedModel, tag: str) -> None:
    report = trained.report
    table = Table(title=f"{report.repeats} × {report.folds}-fold cross-validation", title_justify="left")
    table.add_column("figure")
    table.add_column("mean", justify="right")
    table.add_column("± sd", justify="right")
    for name, title in _TITLES.items():
        table.add_row(title, f"{report.metrics[name].mean:.4f}", f"{report.metrics[name].sd:.4f}")
    console.print(f"{report.n_rows} employees, {report.n_departures} departures, {len(report.fields)} fields")
    console.print(table)
    console.print(f"threshold {trained.threshold:.4f} (by {report.threshold_metric})")
    console.print(f"exported as [bold]{tag}[/bold]", highlight=False)
