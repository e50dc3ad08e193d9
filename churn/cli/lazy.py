"""Groups of commands that import a command when it is asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands are known by name and module.

    Training's libraries take seconds to import; serving and managing users do without them.
    """

    commands_by_module: Mapping[str, str] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order in which they are given."""
        return list(self.commands_by_module)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a command by its name; None where there is none."""
        module = self.commands_by_module.get(cmd_name)
        if module is None:
            return None
        command: Any = getattr(import_module(module), cmd_name)
        return command if isinstance(command, click.Command) else None
