"""`churn model current`, `promote` and `rollback`: which model serves."""

import click

from churn.cli.company import DICTIONARY
from churn.cli.dictionaries import print_differences
from churn.core.settings import load
from churn.dictionary.differences import differences
from churn.model import promotions, registry
from churn.model.served_dictionary import api_changes, dictionary_of, require_same_api


@click.command()
def current() -> None:
    """Print the tag of the model that serves, and nothing else."""
    click.echo(registry.locate(load().model)[0])


@click.command()
@click.argument("tag")
@click.option("--force", is_flag=True, help="Promote it even if it is no better than chance.")
@click.option("--accept-changed-api", is_flag=True, help="Promote it even if its dictionary is another.")
def promote(tag: str, *, force: bool, accept_changed_api: bool) -> None:
    """Put a model into service, from the next start on.

    It must pass its self-test and be better than chance. A model of another dictionary changes what the API
    takes and answers: that is listed, and to be accepted.
    """
    model = registry.load(tag, DICTIONARY)
    model.self_test.require(model.tag)
    if not force:
        registry.require_signal(model.tag, model.report)
    if changes := api_changes(model.tag, DICTIONARY):
        print_differences(changes)
    if not accept_changed_api:
        require_same_api(model.tag, changes)
    promotions.promote(registry.home(), model.tag)
    click.echo(f"{model.tag} serves from the next start on")


@click.command()
def rollback() -> None:
    """Undo the last promotion: the model before it serves from the next start on."""
    left = promotions.promoted(registry.home())
    tag = promotions.rollback(registry.home())
    before, after = (dictionary_of(one, DICTIONARY) for one in (left or tag, tag))
    if before and after and (found := differences(before, after)):
        print_differences(found)
    click.echo(f"{tag} serves again, from the next start on")
