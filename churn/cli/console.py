"""The console: how wide it is, and tables on it."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

MIN_WIDTH = 140  # columns: into a file or pipe, tables are as wide as they need


def make_console() -> Console:
    """Return the console: as wide as the terminal, or as the tables need where there is none.

    What it prints is no markup: names and addresses are as somebody typed them.
    """
    console = Console(markup=False, emoji=False)
    return console if console.is_terminal else Console(width=MIN_WIDTH, markup=False, emoji=False)


def noting(console: Console) -> Callable[[str], None]:
    """Return what prints a note on the console, as it is."""
    return lambda text: console.print(f"note: {text}", markup=False, highlight=False)


def table_of(first: str, *columns: str) -> Table:
    """Return an empty table: its first column for names, which stay whole, the others for numbers."""
    table = Table()
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table
