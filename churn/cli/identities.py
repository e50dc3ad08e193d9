"""`churn user` and `churn token`: who may call."""

from datetime import timedelta

import click

from churn.access.tokens import DEFAULT_SCOPES, SCOPES, issue_token
from churn.access.users import add_user
from churn.settings import load
from churn.storage import schema
from churn.storage.engine import opened


@click.group()
def user() -> None:
    """Manage the people who sign in with a name and a password."""


@user.command("add")
@click.argument("username")
def add(username: str) -> None:
    """Add a user. The password is asked for, or read from API_PASSWORD."""
    settings = load()
    with opened(settings.database_url) as engine:
        schema.check(engine)
        password = settings.api_password.get_secret_value() or click.prompt(
            "Password", hide_input=True, confirmation_prompt=True
        )
        add_user(engine, username, password)
    click.echo(f"user {username} added")


@click.group()
def token() -> None:
    """Manage the tokens of programs."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=DEFAULT_SCOPES,
    show_default=True,
    help="What the token may do; repeat for several.",
)
@click.option("--days", type=click.IntRange(min=1), help="Days until it expires. [default: never]")
def issue(name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Issue a token and print it, once: only its digest is stored."""
    lifetime = None if days is None else timedelta(days=days)
    with opened(load().database_url) as engine:
        schema.check(engine)
        secret = issue_token(engine, name, scopes=scopes, lifetime=lifetime)
    click.echo(f"token {name}, shown this once:", err=True)
    click.echo(secret)
