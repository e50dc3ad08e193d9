"""`churn dictionary draft`: a first dictionary from a company's files."""

from contextlib import ExitStack
from pathlib import Path

import click

from churn.cli.console import make_console
from churn.cli.dictionaries import WIDTH, table_of
from churn.core.atomic_file import replacing
from churn.core.errors import DictionaryError
from churn.dictionary import dictionary_file
from churn.drafting.draft import Draft
from churn.drafting.drafting import draft as draft_from
from churn.drafting.toml_text import toml_text
from churn.ingest.archive import unpacked


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The .toml file to write.",
)
@click.option("--target", metavar="COLUMN", help="The column that says who has left.  [default: by its name]")
@click.option("--positive", metavar="VALUE", help="Its value for those who have left.  [default: yes]")
def draft(files: tuple[Path, ...], output: Path, target: str | None, positive: str | None) -> None:
    """Look at FILE…, CSV, Excel, .ods, Parquet or a .zip of these, and write a first dictionary to review.

    Several files are joined by the employees' numbers. What the law forbids to decide by, what names people
    and what may have been known only afterwards stays out of the model until you take it in.
    """
    if output.exists():
        raise DictionaryError(f"{output} exists: name another file by -o, or remove it")
    if not output.parent.is_dir():
        raise DictionaryError(f"the folder {output.parent} is missing: create it, or name another file by -o")
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in output.stem.lower()).strip("-")[:40]
    with ExitStack() as stack:
        opened = [stack.enter_context(unpacked(file)) for file in files]
        tables = [table for path in opened for table in _tables(path)]
        drafted = draft_from(tables, name or "company", target, positive)
    with replacing(output) as part:
        part.write_text(toml_text(drafted), encoding="utf-8")
        dictionary_file.read(part)
    _show(drafted)
    data = files[0] if len(files) == 1 else files[0].parent
    click.echo(
        f"{output} is written: review it, then run\n  churn dictionary check {output}\n"
        f"  churn train --data {data} --dictionary {output}"
    )


def _tables(path: Path) -> list[Path]:
    """Return the files of a folder, or the file."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _show(drafted: Draft) -> None:
    console = make_console()
    console.width = min(console.width, WIDTH)
    for line in drafted.read:
        console.print(line, highlight=False)
    table = table_of("field", "role, kind", "why, and what to check")
    for field in drafted.fields:
        remarks = [*field.why, *(f"CHECK: {doubt}" for doubt in field.doubts)]
        table.add_row(field.name, f"{field.role}\n{field.kind}".strip(), "\n".join(remarks))
    console.print(table)
    count = sum(len(field.doubts) for field in drafted.fields)
    things = f"{count} thing{'s' * (count != 1)} to check, marked CHECK in the file"
    console.print(f"{len(drafted.fields)} columns; {things}", highlight=False)
