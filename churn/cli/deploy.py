"""`churn deploy`: puts the service where people use it."""

import json
from pathlib import Path

import click

from churn.cli.company import DICTIONARY
from churn.core.errors import SettingsError
from churn.core.settings import load
from churn.delivery import space_settings
from churn.delivery.hub import Hub, saved_token
from churn.delivery.smoke_test import SmokeTest
from churn.delivery.space_deployment import SpaceDeployment, Wanted
from churn.dictionary.dictionary import Example
from churn.dictionary.plain_dictionary import from_document


@click.command()
@click.argument("name", metavar="OWNER/NAME")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder that `make space OUT=folder` wrote.",
)
@click.option("--public", is_flag=True, help="Let everyone see a new Space and its files.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1),
    default=1200,
    show_default=True,
    help="Seconds until the Space must run.",
)
@click.option(
    "--answer-limit",
    type=click.FloatRange(min=0.1),
    default=60,
    show_default=True,
    help="Seconds until the hub must answer a call.",
)
def space(name: str, folder: Path, public: bool, time_limit: float, answer_limit: float) -> None:
    """Put the service on a Hugging Face Space, and go back where it does not serve.

    The Space is made if there is none. It gets the settings of this environment: API_TOKEN, which the
    test of what was deployed needs, and other secrets as secrets, the rest as variables. HF_TOKEN is a token
    of the hub that may write. What was interrupted goes on when this is run again.
    """
    token = saved_token()
    if not token:
        raise SettingsError(
            "HF_TOKEN is not set: make a token that may write at https://huggingface.co/settings/tokens"
        )
    settings = load()
    api_token = settings.api_token.get_secret_value()
    if not api_token:
        raise SettingsError("API_TOKEN is not set: the Space needs one, at least 16 random characters")
    secrets, variables = space_settings.of(settings)
    hub = Hub(name, token, answer_limit)
    smoke_test = SmokeTest(token, api_token, example_in(folder))
    deployment = SpaceDeployment(hub, Wanted(folder, secrets, variables), smoke_test, time_limit, click.echo)
    deployment.run(private=not public)


def example_in(folder: Path) -> Example:
    """Return a record that the service accepts whose Space is in a folder: one of its model's dictionary."""
    for carried in folder.glob("models/churn/*/dictionary.json"):
        return from_document(json.loads(carried.read_text(encoding="utf-8"))).example
    return DICTIONARY.example
