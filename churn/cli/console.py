"""The console: its width, and tables on it."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

FILE_WIDTH = 140  # columns, in a file or pipe: enough for every table


def make_console() -> Console:
    """Return a console as wide as the terminal, or FILE_WIDTH where there is none.

    Nothing that it prints is read as markup: people typed the names and addresses.
    """
    console = Console(markup=False, emoji=False)
    return console if console.is_terminal else Console(width=FILE_WIDTH, markup=False, emoji=False)


def noting(console: Console) -> Callable[[str], None]:
    """Return a function that prints a note on the console, without markup."""
    return lambda note: console.print(f"note: {note}", markup=False, highlight=False)


def table_of(first: str, *columns: str) -> Table:
    """Return an empty table: a first column for names, which are never broken, and others for numbers."""
    table = Table()
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table
