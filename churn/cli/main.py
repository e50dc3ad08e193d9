"""`churn`: the group that holds every command."""

import os
from pathlib import Path
from typing import Any

import click

from churn import __version__
from churn.cli.lazy import Lazy, LazyGroup
from churn.core import extras, places
from churn.core.errors import ChurnError

MODEL = LazyGroup(
    name="model",
    short_help="List, show, compare, promote, roll back and delete models.",
    help="List, show, compare, promote, roll back and delete the models of the store (in BENTOML_HOME).",
    lazy={
        "list": Lazy("churn.cli.model.listing", "list_models", "List the models, the newest first."),
        "show": Lazy("churn.cli.model.showing", "show", "Show a model's figures and self-test."),
        "current": Lazy("churn.cli.model.serving", "current", "Print the tag of the model that serves."),
        "compare": Lazy("churn.cli.model.comparing", "compare_models", "Compare two models."),
        "promote": Lazy("churn.cli.model.serving", "promote", "Put a model into service."),
        "rollback": Lazy("churn.cli.model.serving", "rollback", "Undo the last promotion."),
        "delete": Lazy("churn.cli.model.deleting", "delete", "Delete a model that nothing needs."),
    },
)

DICTIONARY = LazyGroup(
    name="dictionary",
    short_help="Draft, check, show and compare dictionaries of companies.",
    help="""Draft, check, show and compare dictionaries: the fields of a company's employees, as TOML files.

    Two come with the software: technova, which holds where no other is named, and ibm, for the public
    file of 35 columns. `churn dictionary show ibm --toml` prints one to start from.
    """,
    lazy={
        "draft": Lazy("churn.cli.drafts", "draft", "Write a first dictionary from a company's files."),
        "check": Lazy("churn.cli.dictionaries", "check", "Check a dictionary, and list what is wrong in it."),
        "show": Lazy("churn.cli.dictionaries", "show", "Show a dictionary as a table."),
        "diff": Lazy("churn.cli.dictionaries", "diff", "Say what differs between two dictionaries."),
    },
)

USER = LazyGroup(
    name="user",
    short_help="Manage the people who sign in.",
    help="""Manage the people who sign in with a name and a password.

    Roles: an analyst predicts and reads the history, an auditor reads the history, an operator reads the
    metrics, and an admin may do everything. A change takes effect in every worker within seconds.
    """,
    lazy={
        "add": Lazy("churn.cli.user", "add", "Add a user."),
        "list": Lazy("churn.cli.user", "list_users", "List the users."),
        "password": Lazy("churn.cli.user", "change_password", "Change a user's password."),
        "role": Lazy("churn.cli.user", "change_role", "Give a user another role."),
        "disable": Lazy("churn.cli.user", "disable", "Stop letting a user in."),
        "enable": Lazy("churn.cli.user", "enable", "Let a disabled user in again."),
    },
)

TOKEN = LazyGroup(
    name="token",
    short_help="Manage the tokens of programs.",
    help="Manage the tokens of programs. A change takes effect in every worker within seconds.",
    lazy={
        "issue": Lazy("churn.cli.token", "issue", "Issue a token and print it once."),
        "list": Lazy("churn.cli.token", "list_tokens", "List the tokens, with their last use."),
        "revoke": Lazy("churn.cli.token", "revoke", "Revoke a token: it opens nothing from now on."),
    },
)

DB = LazyGroup(
    name="db",
    short_help="Migrate, check, back up or restore the database.",
    help="Migrate, check, back up or restore the database (DATABASE_URL; by default SQLite in BENTOML_HOME).",
    lazy={
        "upgrade": Lazy("churn.cli.database", "upgrade", "Migrate the schema to its newest version."),
        "check": Lazy("churn.cli.database", "check", "Check that the database is whole and up to date."),
        "backup": Lazy("churn.cli.database", "backup", "Copy the whole database to a file."),
        "restore": Lazy("churn.cli.database", "restore", "Restore the database from a backup."),
    },
)

DATA = LazyGroup(
    name="data",
    short_help="Check, export, show and erase what the journal holds.",
    help="Check, export, show and erase what the journal holds.",
    lazy={
        "verify": Lazy("churn.cli.data.verify", "verify", "Check that the journal is as it was written."),
        "replay": Lazy("churn.cli.data.replay", "replay", "Predict again what was logged, and compare."),
        "export": Lazy("churn.cli.data.export", "export", "Write the journal's predictions to a file."),
        "show": Lazy("churn.cli.data.person", "show", "Show every prediction about one person."),
        "erase": Lazy("churn.cli.data.person", "erase", "Erase what is known about one person."),
        "purge": Lazy("churn.cli.data.purge", "purge", "Remove calls that are too old to keep."),
    },
)

MONITOR = LazyGroup(
    name="monitor",
    short_help="See what has moved, and how good predictions were.",
    help="See what has moved since a model was trained, and how good its predictions turned out to be.",
    lazy={
        "drift": Lazy("churn.cli.monitor.drift", "drift", "Compare predictions with the training data."),
        "performance": Lazy(
            "churn.cli.monitor.performance", "performance", "Compare predictions with who has left."
        ),
        "report": Lazy("churn.cli.monitor.report", "report", "Write a week's report, to be printed."),
        "oversight": Lazy(
            "churn.cli.monitor.oversight", "oversight", "Count how often people disagree, and who was right."
        ),
    },
)

DEPLOY = LazyGroup(
    name="deploy",
    short_help="Put the service where people use it.",
    help="Put the service where people use it.",
    lazy={"space": Lazy("churn.cli.deploy", "space", "Put the service on a Hugging Face Space.")},
)

COMMANDS: dict[str, Lazy | LazyGroup] = {
    "run": Lazy("churn.cli.run", "run", "Prepare what a first start needs, and serve."),
    "serve": Lazy("churn.cli.serve", "serve", "Serve predictions."),
    "health": Lazy("churn.cli.health", "health", "Check that the service is ready, with all its workers."),
    "setup": Lazy("churn.cli.setup", "setup", "Prepare what a first start needs."),
    "train": Lazy("churn.cli.train", "train", "Train on three HR extracts and export the model."),
    "model": MODEL,
    "dictionary": DICTIONARY,
    "score": Lazy("churn.cli.score", "score", "Score the employees of a file."),
    "outcomes": Lazy("churn.cli.outcomes", "outcomes", "Store who has left, and who was still there."),
    "user": USER,
    "token": TOKEN,
    "db": DB,
    "data": DATA,
    "monitor": MONITOR,
    "deploy": DEPLOY,
    "audit": Lazy("churn.cli.audit", "audit", "List sign-ins, refusals, readings and changes."),
}


class Churn(LazyGroup):
    """The outermost group: ends an error with one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `ChurnError`, or a missing extra, ends it with exit code 1 and no traceback."""
        try:
            return super().invoke(ctx)
        except ChurnError as error:
            click.echo(f"churn: {error}", err=True)
            ctx.exit(1)
        except ModuleNotFoundError as error:
            if (advice := extras.advice(error)) is None:
                raise
            click.echo(f"churn: {advice}", err=True)
            ctx.exit(1)


@click.group(cls=Churn, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="churn")
def main() -> None:
    """Employee-turnover risk: train, serve, and manage who may call.

    Settings come from the environment or from .env (see .env.example). Without BENTOML_HOME,
    models and the default database are kept in .bentoml in a checkout; where churn is installed,
    in the user's folder for data (on Linux ~/.local/share/churn), and .env in that for settings
    (~/.config/churn).
    """
    # BentoML reads its home from the environment only, so that is where the choice is put. It would take
    # an empty one for the folder that somebody stands in.
    home = os.environ.get("BENTOML_HOME") or str(places.default_home())
    os.environ["BENTOML_HOME"] = home
    places.check_home(Path(os.path.expandvars(home)).expanduser())


if __name__ == "__main__":
    main()
