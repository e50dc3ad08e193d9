"""`churn model delete`: a model that nothing needs any more."""

import click

from churn.core.errors import ModelError
from churn.core.settings import load
from churn.model import listing, promotions, registry


@click.command()
@click.argument("tag")
def delete(tag: str) -> None:
    """Delete a model that nothing needs, with its report.

    One that serves, or that `churn model rollback` may go back to, is kept, and so is one that a Bento in the
    store needs. The journal keeps its predictions; they cannot be replayed.
    """
    found = str(registry.find(tag).tag)
    if needs := _needs(found):
        raise ModelError(f"{found} is not deleted: {needs}")
    registry.delete(found)
    click.echo(f"{found} is deleted")


def _needs(tag: str) -> str | None:
    """Return in a clause what needs a model; None where nothing does."""
    home = registry.home()
    if tag in {promotion["tag"] for promotion in promotions.history(home)}:
        return "it serves, or `churn model rollback` may go back to it"
    chosen = load().model
    if len(registry.models()) == 1 or (chosen and str(registry.find(chosen).tag) == tag):
        return "it serves"
    if bentos := listing.bentos_with(home, tag):
        return f"the Bento {bentos[0]} needs it; delete that first: bentoml delete {bentos[0]}"
    return None
