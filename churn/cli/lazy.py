"""Groups of commands that import a command only when it is used."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is not imported yet: where it is, and what a list of commands says about it."""

    module: str
    function: str
    short_help: str


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, when they are used.

    The libraries of training and of the database take seconds to import. A list of commands needs none.
    """

    def __init__(self, *, lazy: Mapping[str, "Lazy | LazyGroup"], **options: Any) -> None:
        super().__init__(**options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order in which they are given."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a command by its name; None where there is none."""
        command = self._lazy.get(cmd_name)
        if isinstance(command, Lazy):
            imported: click.Command = getattr(import_module(command.module), command.function)
            return imported
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write what the commands are for, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.short_help or "") for name, command in self._lazy.items()])
