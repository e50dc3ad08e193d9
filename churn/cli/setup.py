"""`churn setup`: everything that a first start needs, made where it is not there yet."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from churn.access.first_admin import ensure_first_admin
from churn.cli.company import DICTIONARY
from churn.cli.number_options import notation_options, separator
from churn.core import python_process
from churn.core.errors import ModelError
from churn.core.settings import Settings, load
from churn.database import schema
from churn.database.engine import is_embedded, opened
from churn.ingest.mark import Mark
from churn.model import portable, registry
from churn.model.served_dictionary import dictionary_of

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of the three extracts to train on.  [default: the embedded sample]",
)


@click.command()
@data_option
@notation_options
def setup(data: Path | None, decimal: Mark | None, thousands: Mark | None) -> None:
    """Prepare a first start: a model, a database, a user and a token.

    Whatever exists is kept. A model is trained only if there is none, or none from this data; an installed
    package brings one of made-up employees, for a start without data. If there is no user and no token
    yet, a first one of each is created and printed once. API_USERNAME with API_PASSWORD, or API_TOKEN,
    choose them instead.
    """
    prepare(load(), data, separator(decimal, thousands))


def prepare(settings: Settings, data: Path | None, thousands: Mark | None) -> bool:
    """Make what is missing, and say what was made; return whether a model was trained."""
    with opened(settings.database_url.get_secret_value()) as engine:
        _prepare_database(engine, settings)
        was_trained = prepare_model(settings, data, thousands)
        _prepare_identities(engine, settings)
    return was_trained


def prepare_model(settings: Settings, data: Path | None, thousands: Mark | None) -> bool:
    """Train and promote, unless there is a model (of this data, where given); return whether it trained.

    Raises:
        ModelError: the model that was asked for is missing, or what was trained is no better than chance.
        ExtractError: the data cannot be used.
    """
    try:
        if _is_of(registry.facts_of(settings.model), data, thousands):
            return False
    except ModelError:
        # A model that was asked for, or not chosen among several, is not replaced by another, and one of
        # these data that is no better than chance would be no better the second time.
        entries = registry.models()
        is_trained = any(_is_of(entry.info.metadata, data, thousands) for entry in entries)
        if settings.model or len(entries) > 1 or is_trained:
            raise
    if data is None and portable.CARRIED.is_dir():
        click.echo(
            f"{portable.adopt(registry.home())} serves: a model of made-up employees, to try churn with"
        )
        return False
    with _importing("sklearn.ensemble", "churn.service", "churn.web.server.serving"):
        _train(data, thousands)
    return True


def _train(data: Path | None, thousands: Mark | None) -> None:
    # Imported here: a later start, which trains nothing, need not wait for training's libraries.
    from churn.cli.train import Source, Wanted, train_and_export  # noqa: PLC0415
    from churn.training.learner import OF_THE_SAMPLE  # noqa: PLC0415
    from churn.training.plan import Plan  # noqa: PLC0415

    # One pass and no intervals, so that the first start is soon: `churn train` takes its time. On the sample,
    # where nobody exists, nothing is left to choose, and other processes would not pay for their imports.
    plan = Plan(repeats=1, resamples=0, jobs=-1)
    if data is None:
        plan = Plan(folds=3, repeats=1, resamples=0, candidates=(OF_THE_SAMPLE,))
    train_and_export(Source(data, thousands), Wanted(), plan, promote=True)


@contextmanager
def _importing(*modules: str) -> Iterator[None]:
    """Let another process import modules meanwhile: Python compiles each at its first import, for seconds."""
    silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    process = python_process.begin("-c", f"import {', '.join(modules)}", **silent)
    try:
        yield
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()


def _is_of(facts: Mapping[str, Any], data: Path | None, thousands: Mark | None) -> bool:
    """Return whether the model with these metadata is of these data; any is where none are given."""
    if data is None:
        return True
    from churn.ingest import extracts  # noqa: PLC0415 - pandas; only who gives data need wait for it

    return bool(facts.get("data_fingerprint") == extracts.fingerprint(data, DICTIONARY, thousands))


def _prepare_database(engine: Engine, settings: Settings) -> None:
    if is_embedded(settings.database_url.get_secret_value()) or schema.current(engine) is None:
        schema.upgrade(engine)
    schema.check(engine)


def _prepare_identities(engine: Engine, settings: Settings) -> None:
    if first := ensure_first_admin(engine, settings):
        click.echo(f"\n{first}")
        click.echo(f"\nOnce it serves, paste this in another terminal:\n\n{curl(settings, first.secret)}\n")


def curl(settings: Settings, secret: str) -> str:
    """Return a command that asks for a prediction, ready to paste."""
    dictionary = dictionary_of(settings.model, DICTIONARY) or DICTIONARY
    return (
        f"curl -s http://{settings.host}:{settings.port}/predict \\\n"
        f"  -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(dictionary.example)}'"
    )
