"""`churn dictionary`: check, show and compare the dictionaries of companies."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from churn.cli.company import DICTIONARY
from churn.cli.console import make_console
from churn.core.language import LANGUAGES, Language
from churn.dictionary import dictionary_file, embedded_files
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.differences import Difference, differences
from churn.dictionary.field import Field
from churn.i18n import messages
from churn.i18n.expectations import expected

WIDTH = 80  # columns: what everybody's terminal has
LONGEST_SHOWN, ROLES, BORDERS = 42, 10, 10  # columns of a table of three


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check the dictionary in FILE, and list everything that is wrong in it."""
    dictionary = dictionary_file.read(file)
    counts = (
        f"{len(dictionary.features)} fields to learn from",
        f"{len(dictionary.protected)} protected",
        f"{len(dictionary.core)} that have to be known",
    )
    click.echo(f"{file}: the dictionary {dictionary.name!r} is sound: {', '.join(counts)}")


@click.command()
@click.argument("name", default="technova", metavar="[NAME|FILE|TAG]")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of labels.")
@click.option("--toml", is_flag=True, help="Print the file itself, to write another one after it.")
def show(name: str, language: Language, toml: bool) -> None:
    """Show a dictionary as a table: an embedded one by NAME, that of FILE, or of the model with this TAG."""
    dictionary = _find(name)
    if toml and _is_tag(name):
        raise click.UsageError("--toml prints a file: a model keeps its dictionary in another form")
    if toml:
        path = embedded_files.path_of(name) if name in embedded_files.NAMES else Path(name)
        click.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    console = _console()
    console.print(f"dictionary {dictionary.name}, predicts {dictionary.target.name} = {dictionary.left}")
    table = table_of("field", "role, kind", "what it holds")
    names = min(LONGEST_SHOWN, max(len(field.name) for field in dictionary.fields))
    for column, width in zip(
        table.columns, (names, ROLES, console.width - names - ROLES - BORDERS), strict=True
    ):
        column.width = width
    for field in dictionary.fields:
        label = field.label(language)
        title = field.name if label == field.name else f"{field.name}\n{label}"
        table.add_row(title, f"{field.role}\n{field.kind}", _values(field, dictionary, language))
    console.print(table)
    for line in _remarks(dictionary, language):
        console.print(line, highlight=False)


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
def diff(first: str, second: str) -> None:
    """Say what differs between two dictionaries, and what that changes in the API, from A to B.

    Each is named as for `churn dictionary show`.
    """
    found = differences(_find(first), _find(second))
    if found:
        print_differences(found)
    else:
        click.echo("nothing differs")


def _is_tag(name: str) -> bool:
    return name.startswith("churn:")


def _find(name: str) -> Dictionary:
    """Return a dictionary by its name, its file, or the tag of its model.

    Raises:
        DictionaryError, ModelError: there is none, or it cannot be used.
    """
    if not _is_tag(name):
        return dictionary_file.find(name)
    # Imported here: it brings BentoML, which a file needs not.
    from churn.model import registry  # noqa: PLC0415

    return registry.load(name, DICTIONARY).dictionary


def print_differences(found: Sequence[Difference]) -> None:
    """Print differences as a table."""
    table = table_of("field", "what differs", "what that does to the API")
    for difference in found:
        table.add_row(difference.field, difference.what, difference.effect or "nothing")
    _console().print(table)


def _console() -> Console:
    console = make_console()
    console.width = min(console.width, WIDTH)
    return console


def table_of(*columns: str) -> Table:
    """Return a table with these columns."""
    table = Table(show_lines=True)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _values(field: Field, dictionary: Dictionary, language: Language) -> str:
    if field.is_to_be_learned:
        text = f"learned: each value of {field.minimum_count} people or more, else {field.other}"
    elif field.kind == "category":
        marked = (
            f"{value} (left)" if _is_positive(field, value, dictionary) else value
            for value in field.categories
        )
        text = ", ".join(marked)
    else:
        text = expected(field, language)
    unit = "" if field.kind in ("percent", "date") else messages.unit(field, language)
    reason = field.range_reason[language == "en"] if field.range_reason else ""
    return text + (f" {unit}" if unit else "") + (f" ({reason})" if reason else "")


def _is_positive(field: Field, value: str, dictionary: Dictionary) -> bool:
    return field is dictionary.target and value == dictionary.left


def _remarks(dictionary: Dictionary, language: Language) -> Iterator[str]:
    """Return what concerns no single field."""
    if len(dictionary.extracts) > 1:
        for extract in dictionary.extracts:
            yield (
                f"source {extract.name}: {extract.file}, employees in the column {extract.id_column} "
                f"as {extract.id_prefix}{{id}}"
            )
    ignored = [name for extract in dictionary.extracts for name in extract.constant_columns]
    if ignored:
        yield f"ignored: {', '.join(ignored)}"
    if dictionary.audited:
        yield f"fairness is measured by: {', '.join(dictionary.audited)}"
    if dictionary.levers:
        labels = (dictionary.by_name[name].label(language) for name in dictionary.levers)
        yield f"levers: {', '.join(labels)}"
