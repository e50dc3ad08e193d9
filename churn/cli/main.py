"""`churn`: the group that every command hangs on."""

import os
from typing import Any

import click

from churn.cli.lazy import LazyGroup
from churn.errors import ChurnError
from churn.settings import PROJECT

COMMANDS = {
    "serve": "churn.cli.serve",
    "setup": "churn.cli.setup",
    "train": "churn.cli.train",
    "model": "churn.cli.model",
    "score": "churn.cli.score",
    "user": "churn.cli.user",
    "token": "churn.cli.token",
    "db": "churn.cli.database",
    "data": "churn.cli.data",
    "audit": "churn.cli.audit",
}


class Churn(LazyGroup):
    """The group of all: ends errors with one sentence."""

    commands_by_module = COMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `ChurnError` ends it with exit code 1 and no traceback."""
        try:
            return super().invoke(ctx)
        except ChurnError as error:
            click.echo(f"churn: {error}", err=True)
            ctx.exit(1)


@click.group(cls=Churn, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="churn")
def main() -> None:
    """Employee-turnover risk: train, serve, and manage who may call.

    Settings come from the environment or from .env (see .env.example). Without BENTOML_HOME,
    models and the default database are kept in .bentoml, in the project's own folder.
    """
    # BentoML reads its home from the environment only, so that is where the choice is put. It would take
    # an empty one for the folder that somebody stands in.
    os.environ["BENTOML_HOME"] = os.environ.get("BENTOML_HOME") or str(PROJECT / ".bentoml")


if __name__ == "__main__":
    main()
