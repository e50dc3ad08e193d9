"""`churn token`: the programs that may call."""

from datetime import datetime, timedelta

import click
from rich.table import Table

from churn.access import tokens
from churn.access.roles import SCOPES
from churn.cli.age import METAVAR, read_age
from churn.cli.changes import changing
from churn.cli.console import make_console
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened


def _scopes(_: click.Context, __: click.Parameter, text: str) -> list[str]:
    found = [scope.strip() for scope in text.split(",")]
    if unknown := [scope for scope in found if scope not in SCOPES]:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(SCOPES)}")
    return list(dict.fromkeys(found))


@click.command()
@click.argument("name")
@click.option(
    "--scopes",
    default=",".join(tokens.DEFAULT_SCOPES),
    show_default=True,
    callback=_scopes,
    help=f"What the token may do, separated by commas: {', '.join(SCOPES)}.",
)
@click.option(
    "--expires",
    callback=read_age,
    metavar=METAVAR,
    help="How long it lasts: 90d, 12m, 2y.  [default: for ever]",
)
def issue(name: str, scopes: list[str], expires: timedelta | None) -> None:
    """Issue a token and print it once. Only its digest is stored."""
    secret = tokens.new_secret()
    with changing("churn token issue", token=name, scopes=scopes) as change:
        change(
            lambda connection: tokens.issue_token(
                connection, name, scopes=scopes, lifetime=expires, secret=secret
            )
        )
    click.echo(f"token {name}, shown this once:", err=True)
    click.echo(secret)


@click.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke a token: it opens nothing from now on."""
    with changing("churn token revoke", token=name) as change:
        change(lambda connection: tokens.revoke_token(connection, name))
    click.echo(f"token {name} is revoked")


@click.command("list")
def list_tokens() -> None:
    """List the tokens, the newest first, with their last use."""
    with opened(load().database_url.get_secret_value()) as engine:
        schema.check(engine)
        found = tokens.list_tokens(engine)
    table = Table("token", "scopes", "state", "created (UTC)", "expires", "last used")
    for one in found:
        moments = (_moment(one.created_at), _moment(one.expires_at), _moment(one.last_used_at))
        table.add_row(one.name, ", ".join(one.scopes), one.state, *moments)
    make_console().print(table)


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
