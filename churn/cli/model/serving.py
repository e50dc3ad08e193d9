"""`churn model current`, `promote` and `rollback`: which model serves."""

import click

from churn.cli.company import DICTIONARY
from churn.core.settings import load
from churn.model import promotions, registry


@click.command()
def current() -> None:
    """Print the tag of the model that serves, and nothing else."""
    click.echo(registry.locate(load().model)[0])


@click.command()
@click.argument("tag")
@click.option("--force", is_flag=True, help="Promote it even if it is no better than chance.")
def promote(tag: str, force: bool) -> None:
    """Put a model into service, from the next start on.

    It must pass its self-test and be better than chance.
    """
    model = registry.load(tag, DICTIONARY)
    model.self_test.require(model.tag)
    if not force:
        registry.require_signal(model.tag, model.report)
    promotions.promote(registry.home(), model.tag)
    click.echo(f"{model.tag} serves from the next start on")


@click.command()
def rollback() -> None:
    """Undo the last promotion: the model before it serves from the next start on."""
    click.echo(f"{promotions.rollback(registry.home())} serves again, from the next start on")
