"""`churn user`: the people who may call."""

import sys
from typing import TextIO

import click
from rich.table import Table

from churn.access import users
from churn.access.roles import ROLES
from churn.cli.connection import changing, connected
from churn.cli.console import make_console
from churn.core.errors import IdentityError

_from_file = click.option(
    "--password-file",
    type=click.File(encoding="utf-8"),
    help="Read the password from this file; - is standard input.",
)


@click.command("add")
@click.argument("username")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default=users.DEFAULT_ROLE,
    show_default=True,
    help="What the user may do.",
)
@_from_file
def add(username: str, role: str, password_file: TextIO | None) -> None:
    """Add a user. The password is asked for, or read from a file."""
    with changing("churn user add", user=username, role=role) as change:
        password = _password(password_file)
        change(lambda connection: users.add_user(connection, username, password, role=role))
    click.echo(f"user {username} added: {role}")


@click.command("password")
@click.argument("username")
@_from_file
def change_password(username: str, password_file: TextIO | None) -> None:
    """Change a user's password. It is asked for, or read from a file."""
    with changing("churn user password", user=username) as change:
        password = _password(password_file)
        change(lambda connection: users.set_password(connection, username, password))
    click.echo(f"user {username} has another password")


@click.command("role")
@click.argument("username")
@click.argument("role", type=click.Choice(ROLES))
def change_role(username: str, role: str) -> None:
    """Give a user another role."""
    with changing("churn user role", user=username, role=role) as change:
        change(lambda connection: users.set_role(connection, username, role))
    click.echo(f"user {username} is {role} now")


@click.command()
@click.argument("username")
def disable(username: str) -> None:
    """Stop letting a user in. What they did stays in the journal."""
    _activate("churn user disable", username, is_active=False)
    click.echo(f"user {username} is disabled")


@click.command()
@click.argument("username")
def enable(username: str) -> None:
    """Enable a disabled user again."""
    _activate("churn user enable", username, is_active=True)
    click.echo(f"user {username} is enabled")


@click.command("list")
def list_users() -> None:
    """List the users."""
    with connected() as engine:
        listed = users.list_users(engine)
    table = Table("user", "role", "state", "created (UTC)")
    for user in listed:
        state = "active" if user.is_active else "disabled"
        table.add_row(user.name, user.role, state, f"{user.created_at:%Y-%m-%d %H:%M}")
    make_console().print(table)


def _activate(action: str, username: str, *, is_active: bool) -> None:
    with changing(action, user=username) as change:
        change(lambda connection: users.set_active(connection, username, is_active=is_active))


def _password(file: TextIO | None) -> str:
    """Return the user's password, typed or from a file; not API_PASSWORD, which belongs to another user."""
    if file is None:
        try:
            return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
        except click.Abort:
            if sys.stdin.isatty():  # somebody pressed Ctrl-C
                raise
            raise IdentityError(
                "no password was typed, as this is no terminal: give it by --password-file, where - is "
                "standard input"
            ) from None
    try:
        return file.read().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # Not chained: the error holds the content.
        raise IdentityError("the password is no text in UTF-8") from None
