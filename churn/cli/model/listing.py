"""`churn model list`: which models there are."""

import os

import click

from churn.cli.console import make_console, table_of
from churn.core import places
from churn.i18n import terms
from churn.i18n.formatting import ENGLISH
from churn.model import promotions
from churn.model.listing import listed
from churn.model.registry import home


@click.command("list")
def list_models() -> None:
    """List the models, the newest first, and mark the one that serves."""
    # Not by the settings: their library takes longer to import than all the rest.
    serving = os.environ.get("CHURN_MODEL") or places.bento_model() or promotions.promoted(home())
    headings = (ENGLISH.pick(terms.METRICS[name].name) for name in terms.COMPARED)
    table = table_of("tag", "serves", "created", *headings, "data")
    entries = listed(home())
    for entry in entries:
        metrics = entry.facts.get("metrics", {})
        # An older version of churn kept fewer figures.
        figures = [f"{metrics[name]['mean']:.4f}" if name in metrics else "?" for name in terms.COMPARED]
        mark = "yes" if entry.tag == serving else ""
        fingerprint = entry.facts.get("data_fingerprint", "?")[7:15]
        table.add_row(entry.tag, mark, f"{entry.created:%Y-%m-%d %H:%M}", *figures, fingerprint)
    if entries:
        make_console().print(table)
    else:
        click.echo(f"no model in the store {home()}: run `churn train --data DIR`")
