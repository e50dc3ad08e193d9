"""`churn`: the group that every command hangs on."""

import os
from pathlib import Path
from typing import Any

import click

from churn.cli.database import db
from churn.cli.identities import token, user
from churn.cli.serve import serve
from churn.cli.setup import setup
from churn.cli.train import train
from churn.errors import ChurnError

PROJECT = Path(__file__).parents[2]


class FriendlyGroup(click.Group):
    """A group whose errors are one sentence on standard error, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `ChurnError` ends it with exit code 1."""
        try:
            return super().invoke(ctx)
        except ChurnError as error:
            click.echo(f"churn: {error}", err=True)
            ctx.exit(1)


@click.group(cls=FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="churn")
def main() -> None:
    """Employee-turnover risk: train, serve, and manage who may call.

    Settings come from the environment or from .env (see .env.example). Without BENTOML_HOME,
    models and the default database are kept in .bentoml, in the project's own folder.
    """
    # BentoML reads its home from the environment only, so that is where the choice is put.
    os.environ.setdefault("BENTOML_HOME", str(PROJECT / ".bentoml"))


for command in (serve, setup, train, user, token, db):
    main.add_command(command)


if __name__ == "__main__":
    main()
