"""`churn model current`, `promote` and `rollback`: which model serves."""

import click

from churn.cli.company import DICTIONARY
from churn.cli.console import make_console
from churn.cli.dictionaries import print_differences
from churn.core.settings import load
from churn.dictionary.differences import differences
from churn.model import promotions, registry
from churn.model.registry import ServedModel
from churn.model.served_dictionary import api_changes, dictionary_of, require_same_api


@click.command()
def current() -> None:
    """Print the tag of the model that serves, and nothing else."""
    click.echo(registry.locate(load().model)[0])


@click.command()
@click.argument("tag")
@click.option("--force", is_flag=True, help="Promote it even if it is no better than chance.")
@click.option("--accept-changed-api", is_flag=True, help="Promote it even if its dictionary is another.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def promote(tag: str, *, force: bool, accept_changed_api: bool, yes: bool) -> None:
    """Put a model into service, from the next start on.

    It must pass its self-test and be better than chance. A model of another dictionary changes what the API
    takes and answers: that is listed, and to be accepted. One that learned from the journal is compared with
    the one that serves, and you are asked.
    """
    model = registry.load(tag, DICTIONARY)
    model.self_test.require(model.tag)
    if not force:
        registry.require_signal(model.tag, model.report)
    if changes := api_changes(model.tag, DICTIONARY):
        print_differences(changes)
    if not accept_changed_api:
        require_same_api(model.tag, changes)
    if model.report.get("journal"):
        _compare(model)
        if not yes:
            click.confirm("Promote it?", abort=True)
    promotions.promote(registry.home(), model.tag)
    click.echo(f"{model.tag} serves from the next start on")


def _compare(model: ServedModel) -> None:
    """Show how a model that learned from the journal compares with the one that it would follow."""
    current = promotions.promoted(registry.home())
    if current in (None, model.tag):
        return
    try:
        # Imported here: it brings what trains, and a container has none of that.
        from churn.cli.comparison import show_against_current  # noqa: PLC0415
    except ModuleNotFoundError:
        click.echo(
            "not compared here: `churn model compare --from-journal` does that where models are trained"
        )
    else:
        show_against_current(make_console(), registry.load(current, DICTIONARY), model)


@click.command()
def rollback() -> None:
    """Undo the last promotion: the model before it serves from the next start on."""
    left = promotions.promoted(registry.home())
    tag = promotions.rollback(registry.home())
    before, after = (dictionary_of(one, DICTIONARY) for one in (left or tag, tag))
    if before and after and (found := differences(before, after)):
        print_differences(found)
    click.echo(f"{tag} serves again, from the next start on")
