"""`churn score`: the risk of every employee of a file."""

import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from churn.batch.layout import Layout
from churn.batch.run import Files, Run, Summary
from churn.batch.run_journal import RunJournal
from churn.cli.company import DICTIONARY
from churn.cli.console import noting
from churn.cli.number_options import notation_options, separator
from churn.cli.termination import terminated_as_interrupted
from churn.core.errors import RejectedRowsError
from churn.core.language import DEFAULT_LANGUAGE, LANGUAGES, Language, pair_of
from churn.core.progress import RowProgress as Advance
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.dictionary.dictionary import Dictionary
from churn.ingest.archive import unpacked
from churn.ingest.flat import FlatTable
from churn.ingest.folder import FolderTable
from churn.ingest.mark import Mark
from churn.ingest.reader import understood
from churn.ingest.rows import EmployeeTable
from churn.journal import pseudonyms
from churn.journal.writer import Writer
from churn.model import registry

SOME_REJECTED, ALL_REJECTED = 2, 3  # exit codes; 1 is that of a file that cannot be read at all


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Where to: .csv, .xlsx or .parquet.",
)
@click.option(
    "--rejects", type=click.Path(path_type=Path), help="Where bad rows go.  [default: OUTPUT.rejects.csv]"
)
@click.option("--strict", is_flag=True, help="Stop at the first bad rows, and write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace the output and the rejects where they are there.")
@click.option("--journal/--no-journal", help="Log every score in the database, as the service does.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help=f"Of the reasons, and of what is said about the file.  [default: {DEFAULT_LANGUAGE}, and en]",
)
@click.option(
    "--for-people",
    is_flag=True,
    help="Write CSV for spreadsheets in the language: headings, and in French semicolons and decimal commas.",
)
@click.option(
    "--ignore-column", "ignore", multiple=True, metavar="NAME", help="A column to pass over; repeatable."
)
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook that has several with employees.")
@notation_options
@click.option("--model", "tag", metavar="TAG", help="The model.  [default: CHURN_MODEL, or the promoted one]")
def score(
    source: Path,
    output: Path,
    rejects: Path | None,
    *,
    strict: bool,
    overwrite: bool,
    journal: bool,
    language: Language | None,
    for_people: bool,
    sheet: str | None,
    ignore: tuple[str, ...],
    decimal: Mark | None,
    thousands: Mark | None,
    tag: str | None,
) -> None:
    """Score the employees of FILE: CSV, Excel, .ods or Parquet, a folder of extracts, or a .zip of these.

    Columns go by the names of the API, and rows are checked and warned of as there. How numbers are
    written is told by all of a column, or else by --decimal or --thousands. Bad rows go to a file of
    their own with what was expected; the others are scored. The output appears once it is whole. A
    file is streamed, twice; a folder is joined in memory. What a spreadsheet would take for a formula
    gets an apostrophe, in .csv and .xlsx.

    Exit codes: 1 where the file cannot be read, 2 where --strict met a bad row, 3 where every row was
    rejected.
    """
    settings, marks = load(), separator(decimal, thousands)
    console = Console(highlight=False, soft_wrap=True)
    files = Files(output, rejects or output.with_name(f"{output.stem}.rejects.csv"), overwrite)
    files.check()
    model = registry.load(tag or settings.model, DICTIONARY)
    model.self_test.require(model.tag)
    with ExitStack() as stack:
        stack.enter_context(terminated_as_interrupted())
        source = stack.enter_context(unpacked(source))
        table = _open(source, model.dictionary, ignore, marks, sheet)
        _tell_reading(console, table, language or "en")
        run_journal = None
        if journal:
            engine = stack.enter_context(opened(settings.database_url.get_secret_value()))
            schema.check(engine)
            run_journal = RunJournal(Writer(engine), model, pseudonyms.configured(settings))
        advance = stack.enter_context(_progress(console))
        spoken = language or DEFAULT_LANGUAGE
        people = spoken if for_people or output.suffix.lower() == ".xlsx" else None
        run = Run(
            model,
            spoken,
            strict=strict,
            run_journal=run_journal,
            of_rejects=people or "en",
            layout=Layout(people, is_harmless=True),
        )
        try:
            summary = run.score(table, files, advance)
        except RejectedRowsError as error:
            click.echo(f"churn: {error}", err=True)
            sys.exit(SOME_REJECTED)
    _tell(console, summary, files, model.tag, journalled=journal)
    if summary.rejected and not summary.scored:
        sys.exit(ALL_REJECTED)


def _open(
    source: Path,
    dictionary: Dictionary,
    ignore: Collection[str],
    thousands: Mark | None,
    sheet: str | None,
) -> EmployeeTable:
    if not source.is_dir():
        return FlatTable(source, dictionary, ignore=ignore, thousands=thousands, sheet=sheet)
    if sheet is not None:
        raise click.UsageError("--sheet is for one workbook, not for a folder")
    return FolderTable(source, dictionary, thousands=thousands)


def _tell_reading(console: Console, table: EmployeeTable, language: Language) -> None:
    """Print how the files are read, one line each, and what to know about that."""
    place = LANGUAGES.index(language)
    for reading in table.readings():
        console.print(pair_of(understood(reading))[place], markup=False)
    for notice in table.notices:
        noting(console)(pair_of(notice)[place])


@contextmanager
def _progress(console: Console) -> Iterator[Advance]:
    columns = (
        TextColumn("Scoring"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=1.0, rows=0, rate=0)

        def advance(rows: int, share: float) -> None:
            elapsed = progress.tasks[0].elapsed or 0
            progress.update(task, completed=share, rows=rows, rate=rows / elapsed if elapsed else 0)

        yield advance


def _tell(console: Console, summary: Summary, files: Files, model: str, *, journalled: bool) -> None:
    lines = [f"{_rows(summary.scored)} scored by {model}, {summary.flagged:,} flagged"]
    lines += [f"{_rows(summary.rejected)} rejected" + f": {files.rejects} says why" * summary.rejects]
    lines += ["journalled in the database" if journalled else "not journalled (--journal does)"]
    lines += [f"scores are in {files.scores}"]
    console.print("\n".join(lines), markup=False)
    for count in summary.warned:
        loud = "WARNING: " * count.is_most
        console.print(f"{loud}{count}", style="bold red" if loud else None, markup=False)
    if any(count.is_most for count in summary.warned):
        advice = "Check the units and separators of these columns before you use the scores"
        console.print(advice, style="bold red", markup=False)


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
