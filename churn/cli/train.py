"""`churn train`: read, fit, evaluate, export."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console

from churn import report, training
from churn.cli.company import DICTIONARY
from churn.cli.comparison import show_against_current
from churn.cli.console import make_console, noting
from churn.cli.figures import print_report, progress_bar
from churn.cli.journal_source import JournalSource, journal_options
from churn.cli.source import Source, TrainingData, source_options
from churn.core.errors import TrainingError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.dictionary.names import Names
from churn.model import promotions, registry
from churn.model.golden_rows import golden_rows
from churn.model.pipeline import compile_scorecard
from churn.model.registry import Export, ServedModel
from churn.model.sample import typical_employees
from churn.model.served_dictionary import api_changes, require_same_api
from churn.training import TrainedModel
from churn.training.data_checks import check_content
from churn.training.fairness import RESAMPLES
from churn.training.plan import Plan
from churn.training.thresholds import METRIC_POLICIES, parse_policy
from churn.training.training_report import TrainingReport


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides the threshold, and which fields the model may see."""

    metric: str = "f2"
    cost_miss: float | None = None
    cost_alarm: float | None = None
    capacity: int | None = None
    with_protected: bool = False
    exclude: Sequence[str] = ()

    def fields(self, dictionary: Dictionary) -> tuple[Field, ...]:
        """Return the inputs; raises TrainingError where an excluded name is no field."""
        learnable = (*dictionary.features, *dictionary.protected)
        excluded = {_field(name, dictionary.names, learnable).name for name in self.exclude}
        inputs = learnable if self.with_protected else dictionary.features
        return tuple(field for field in inputs if field.name not in excluded)


def _field(name: str, names: Names, learnable: Sequence[Field]) -> Field:
    field = names.field_of(name)
    if field is None:
        expected = ", ".join(field.name for field in learnable)
        raise TrainingError(f"--exclude {name!r}: no such field; expected one of {expected}")
    return field


def _threshold_options(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--threshold-metric", "metric", type=click.Choice(sorted(METRIC_POLICIES)), default="f2",
            show_default=True, help="What the decision threshold makes as large as it can.",
        ),
        click.option("--cost-miss", type=float, help="Instead: what a missed departure costs."),
        click.option("--cost-alarm", type=float, help="Instead: what a false alarm costs.  [default: 1]"),
        click.option("--capacity", type=int, help="Instead: how many people can be talked to."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@source_options
@journal_options
@_threshold_options
@click.option("--with-protected", is_flag=True, help="Let the model see age, gender and marital status.")
@click.option("--exclude", multiple=True, metavar="FIELD", help="Leave a field out; repeat for several.")
@click.option(
    "--challengers", "challenge", is_flag=True, help="Compare with other kinds of models (minutes)."
)
@click.option("--promote", is_flag=True, help="Serve this model from the next start on.")
@click.option("--out", type=click.Path(path_type=Path), help="Draw its report and model card here.")
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True, help="Folds of one pass.")
@click.option("--repeats", type=click.IntRange(min=1), default=4, show_default=True, help="Passes.")
@click.option(
    "--resamples",
    type=click.IntRange(min=0),
    default=RESAMPLES,
    show_default=True,
    help="Draws of the intervals in the fairness audit; 0 leaves them out.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every split.")
def train(
    source: Source,
    journal: JournalSource | None,
    challenge: bool,
    promote: bool,
    out: Path | None,
    folds: int,
    repeats: int,
    resamples: int,
    seed: int,
    **wanted: object,
) -> None:
    """Train on HR extracts, on one file or on the journal, and put the model in the BentoML store.

    Reads and checks the data by a dictionary, cross-validates (everything is learned inside the folds:
    curves, penalty, calibration, threshold), audits fairness, fits on all rows and exports pipeline,
    scorecard and model card. Prints the figures and the tag; the report is drawn where --out, or
    `churn model show --out`, asks for it.

    The first model is promoted, if it is better than chance; a later one serves once `churn model
    promote TAG` says so. One that learned from the journal is compared with the one that serves, and never
    promoted by itself.
    """
    if journal is not None and (source.data is not None or promote):
        raise click.UsageError("--from-journal goes with neither --data nor --promote")
    plan = Plan(folds=folds, repeats=repeats, resamples=resamples, seed=seed, challenge=challenge, jobs=-1)
    with source.unpacked() as opened:
        tag = train_and_export(journal or opened, Wanted(**wanted), plan, promote=promote)  # type: ignore[arg-type]
    if out is not None:
        # Imported here: what draws takes a second to import, and a first start draws nothing.
        from churn.cli.documents import write_documents  # noqa: PLC0415

        for path in write_documents(registry.load(tag, source.dictionary), out):
            click.echo(str(path))


def train_and_export(
    source: Source | JournalSource,
    wanted: Wanted,
    plan: Plan,
    *,
    promote: bool = False,
    accept_changed_api: bool = False,
) -> str:
    """Train on a source; print how it is read and the figures, return the tag.

    Of the sample, only how good the model is: nobody in it exists.

    Raises:
        ExtractError, DictionaryError, TrainingError: the data cannot be used; the message lists why.
        ModelError: it should be promoted, and is no better than chance or changes the API; it is exported
            all the same.
    """
    # Told no number of threads, scikit-learn counts the cores, and prints a traceback where it cannot.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    console = make_console()
    tell = noting(console)
    wanted.fields(source.dictionary)  # before anything is read: a name may be wrong
    data = source.read(tell)
    employees, dictionary, fields = data.employees, data.dictionary, wanted.fields(data.dictionary)
    for notice in check_content(employees, fields, dictionary):
        tell(notice)
    policy = parse_policy(
        wanted.metric,
        cost_miss=wanted.cost_miss,
        cost_alarm=wanted.cost_alarm,
        capacity=wanted.capacity,
        of=len(employees),
    )
    with progress_bar(console, "Training and auditing") as advance:
        trained = training.train(
            employees, dictionary, fields=fields, policy=policy, plan=plan, progress=advance
        )
    tag = export_model(trained, fields, data)
    print_report(console, trained.report.to_dict(), brief=data.is_sample)
    console.print(f"exported as {tag}", style="bold", highlight=False)
    if isinstance(source, JournalSource):
        _propose(console, source.current, tag)
    else:
        _promote(console, tag, trained.report, wanted=promote, is_accepted=accept_changed_api)
    return tag


def export_model(trained: TrainedModel, fields: Sequence[Field], data: TrainingData) -> str:
    """Put a trained model in the store with its golden rows, card and dictionary; return its tag."""
    dictionary = data.dictionary
    typical = typical_employees() if dictionary is DICTIONARY else ()
    reference = trained.reference
    if data.journal is not None:
        reference = replace(reference, horizon_days=data.journal["horizon_days"])
    export = Export(
        pipeline=trained.pipeline,
        scorecard=compile_scorecard(trained.pipeline),
        report=trained.report.to_dict(),
        golden=golden_rows(trained.pipeline, fields, dictionary, typical),
        fingerprint=data.fingerprint,
        sample=data.is_sample,
        dictionary=dictionary,
        reference=reference,
        journal=data.journal,
    )
    return registry.save(export, lambda facts: report.render_cards(facts, dictionary))


def _promote(console: Console, tag: str, report: TrainingReport, *, wanted: bool, is_accepted: bool) -> None:
    current = promotions.promoted(registry.home())
    if wanted:
        registry.require_signal(tag, report.to_dict())
    if wanted and not is_accepted:
        require_same_api(tag, api_changes(tag, DICTIONARY))
    if wanted or (current is None and report.signal.shown):
        promotions.promote(registry.home(), tag)
        console.print("promoted: it serves from the next start on")
    elif current is None:
        console.print("not promoted, as it is no better than chance")
    else:
        console.print(f"{current} still serves; to change that: churn model promote {tag}", highlight=False)


def _propose(console: Console, current: ServedModel, tag: str) -> None:
    """Say how a model that learned from the journal compares with the one that serves, which goes on."""
    show_against_current(console, current, registry.load(tag, DICTIONARY))
    console.print(f"{current.tag} still serves; to change that: churn model promote {tag}", highlight=False)
