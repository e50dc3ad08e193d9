"""`churn setup`: everything that a first start needs, made where it is not there yet."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import click
from sqlalchemy import Engine

from churn.access.first_admin import ensure_first_admin
from churn.cli.company import DICTIONARY
from churn.cli.source import Source, source_options
from churn.core import python_process
from churn.core.errors import ModelError
from churn.core.settings import Settings, load
from churn.database import schema
from churn.database.engine import is_embedded, opened
from churn.model import portable, promotions, registry
from churn.model.served_dictionary import api_changes, dictionary_of, require_same_api


class Train(Protocol):
    """Trains on a source, and promotes the model."""

    def __call__(self, source: Source, /, *, accept_changed_api: bool) -> None:
        """Raise ChurnError where that cannot be done."""


@click.command()
@source_options
def setup(source: Source) -> None:
    """Prepare a first start: a model, a database, a user and a token.

    Whatever exists is kept. A model is trained only if there is none, or none from this data; an installed
    package brings one of made-up employees, for a start without data. If there is no user and no token
    yet, a first one of each is created and printed once. API_USERNAME with API_PASSWORD, or API_TOKEN,
    choose them instead.
    """
    prepare(load(), source)


def prepare(settings: Settings, source: Source, train: Train | None = None) -> None:
    """Make what is missing, and say what was made; `train` makes a model of a source, by default here."""
    with opened(settings.database_url.get_secret_value()) as engine:
        _prepare_database(engine, settings)
        with source.unpacked() as unpacked:
            prepare_model(settings, unpacked, train)
        _prepare_identities(engine, settings)


def prepare_model(settings: Settings, source: Source, train: Train | None = None) -> None:
    """Train and promote, unless there is a model (of this source, where it has data).

    Raises:
        ModelError: the model that was asked for is missing, or what was trained is no better than chance,
            or changes the API.
        ExtractError, DictionaryError: the data cannot be used.
    """
    facts: Mapping[str, Any] = {}
    try:
        facts = registry.facts_of(settings.model)
        if source.is_of(registry.resolve(settings.model), facts):
            return
    except ModelError:
        # A model that was asked for, or not chosen among several, is not replaced by another, and one of
        # these data that is no better than chance would be no better the second time.
        if settings.model or len(registry.models()) > 1 or _trained(source):
            raise
    # Nobody's programs rely on the fields of employees who do not exist.
    is_accepted = bool(facts.get("sample"))
    if tag := _trained(source):
        _promote(tag, is_accepted=is_accepted)
        return
    if source.data is None and portable.CARRIED.is_dir():
        click.echo(
            f"{portable.adopt(registry.home())} serves: a model of made-up employees, to try churn with"
        )
        return
    (train or _train)(source, accept_changed_api=is_accepted)


def _trained(source: Source) -> str | None:
    """Return the tag of the newest model that learned from this source."""
    entries = ((str(entry.tag), entry.info.metadata) for entry in registry.models())
    return next((tag for tag, facts in entries if source.is_of(tag, facts)), None)


def _promote(tag: str, *, is_accepted: bool) -> None:
    if not is_accepted:
        require_same_api(tag, api_changes(tag, DICTIONARY))
    promotions.promote(registry.home(), tag)
    click.echo(f"{tag} has learned from these data already, and serves")


def _train(source: Source, *, accept_changed_api: bool) -> None:
    # Imported here: a later start, which trains nothing, need not wait for training's libraries.
    from churn.cli.train import Wanted, train_and_export  # noqa: PLC0415
    from churn.training.candidates import OF_THE_SAMPLE  # noqa: PLC0415
    from churn.training.plan import Plan  # noqa: PLC0415

    # One pass and no intervals, so that the first start is soon: `churn train` takes its time. On the sample,
    # where nobody exists, nothing is left to choose, and other processes would not pay for their imports.
    plan = Plan(repeats=1, resamples=0, jobs=-1)
    if source.data is None:
        plan = Plan(folds=3, repeats=1, resamples=0, candidates=(OF_THE_SAMPLE,))
    with _importing("sklearn.ensemble", "churn.service", "churn.web.server.serving"):
        train_and_export(source, Wanted(), plan, promote=True, accept_changed_api=accept_changed_api)


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
