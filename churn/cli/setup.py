"""`churn setup`: everything that a first start needs, made where it is not there yet."""

import json
import secrets
from pathlib import Path

import click
from sqlalchemy import Engine

from churn import extracts, registry
from churn.access.identities import FIRST_TOKEN, ensure_identities
from churn.access.tokens import count_tokens, issue_token
from churn.access.users import add_user, count_users
from churn.cli.train import train_and_export
from churn.errors import ModelError
from churn.schemas import EXAMPLE
from churn.settings import Settings, load
from churn.storage import schema
from churn.storage.engine import is_embedded, make_engine

FIRST_USER = "admin"


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of the three extracts to train on.  [default: the embedded sample]",
)
def setup(data: Path | None) -> None:
    """Make what a first start needs: a model, a database, a user and a token.

    What is there is kept: a model is trained only if there is none, or none of this data. The
    first user and token are printed once; API_USERNAME, API_PASSWORD and API_TOKEN choose them.
    """
    settings = load()
    engine = make_engine(settings.database_url)
    _prepare_database(engine, settings)
    if not _is_trained(settings, data):
        train_and_export(data)
    _prepare_identities(engine, settings)
    engine.dispose()


def _is_trained(settings: Settings, data: Path | None) -> bool:
    try:
        metadata = registry.find(settings.model).info.metadata
    except ModelError:
        return False
    return data is None or metadata["data_fingerprint"] == extracts.fingerprint(data)


def _prepare_database(engine: Engine, settings: Settings) -> None:
    if is_embedded(settings.database_url) or schema.current(engine) is None:
        schema.upgrade(engine)
    schema.check(engine)


def _prepare_identities(engine: Engine, settings: Settings) -> None:
    ensure_identities(engine, settings)
    if not count_users(engine):
        password = secrets.token_urlsafe(12)
        add_user(engine, FIRST_USER, password)
        click.echo(f"\nFirst user, shown this once:   {FIRST_USER} / {password}")
    if not count_tokens(engine):
        secret = issue_token(engine, FIRST_TOKEN)
        click.echo(f"First token, shown this once:  {secret}")
        click.echo(f"\nOnce it serves, paste this in another terminal:\n\n{curl(settings, secret)}\n")


def curl(settings: Settings, secret: str) -> str:
    """Return a command that asks for a prediction, ready to paste."""
    return (
        f"curl -s http://{settings.host}:{settings.port}/predict \\\n"
        f"  -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(EXAMPLE)}'"
    )
