"""`churn data`: what the journal holds, and what people may ask of it."""

import click

from churn.cli.lazy import LazyGroup


class Data(LazyGroup):
    """The group of what is done with the journal."""

    commands_by_module = {  # noqa: RUF012 - as the class it is of has it: never changed
        name: f"churn.cli.data.{name}" for name in ("verify", "replay", "export", "show", "erase", "purge")
    }


@click.group(cls=Data)
def data() -> None:
    """Check, export, show and erase what the journal holds."""
