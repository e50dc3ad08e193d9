"""What the monitors' commands have in common: which model, which language, and how a report is told."""

from collections.abc import Callable, Iterable
from typing import Any

import click
from rich.console import RenderableType

from churn.cli.company import DICTIONARY
from churn.cli.console import make_console
from churn.core.language import LANGUAGES
from churn.core.settings import load
from churn.dictionary.dictionary import Dictionary
from churn.model import registry
from churn.schemas.drift_report import DriftReport
from churn.schemas.oversight_report import OversightReport
from churn.schemas.performance_report import PerformanceReport

Report = DriftReport | PerformanceReport | OversightReport
Command = Callable[..., Any]


def of_model(command: Command, *, preposition: str = "Of") -> Command:
    """Give a command the option `--model`, as the argument `tag`."""
    about = f"{preposition} this model.  [default: the one that serves]"
    return click.option("--model", "tag", default="", metavar="TAG", help=about)(command)


def telling_options(route: str) -> Callable[[Command], Command]:
    """Give a command `--language` and `--json`, whose object is that of a route."""

    def decorate(command: Command) -> Command:
        as_json = f"Print one JSON object, as GET {route} answers it."
        command = click.option("--json", "as_json", is_flag=True, help=as_json)(command)
        languages = click.Choice(LANGUAGES)
        return click.option(
            "--language", type=languages, default="en", show_default=True, help="Of the table."
        )(command)

    return decorate


def model_of(tag: str) -> tuple[str, Dictionary]:
    """Return the whole tag of a model, by default of the one that serves, and its dictionary."""
    tag = registry.locate(tag or load().model)[0]
    return tag, registry.load(tag, DICTIONARY).dictionary


def tell(report: Report, tables: Iterable[RenderableType], *, as_json: bool) -> None:
    """Print a report: its verdict, tables and notes, or one JSON object."""
    if as_json:
        click.echo(report.model_dump_json())
        return
    console = make_console()
    console.print(report.model, report.summary, sep="\n", highlight=False)
    for table in tables:
        console.print(table, highlight=False)
    for note in report.notes:
        console.print(f"- {note}", highlight=False)
