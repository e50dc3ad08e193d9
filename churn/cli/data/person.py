"""`churn data show` and `erase`: what people may ask for by articles 15 and 17 of the GDPR."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from sqlalchemy import Engine

from churn.cli.company import DICTIONARY
from churn.cli.connection import LEFT_IN_LOG, connected
from churn.core.atomic_file import replacing
from churn.core.errors import IdentityError, SettingsError, SpoolError
from churn.core.settings import Settings, load
from churn.dictionary.dictionary import Dictionary
from churn.i18n import messages
from churn.journal.operator_actions import record_action
from churn.journal.pseudonyms import stored_forms
from churn.journal.spool import Spool
from churn.model.served_dictionary import journalled_dictionary
from churn.records import outcomes, privacy
from churn.schemas.caller import Who
from churn.schemas.logged_prediction import LoggedPrediction

# The attributes of a prediction that are shown, besides its call and its answer.
_SHOWN = (
    *("route", "model", "threshold", "prediction", "probability", "base_value"),
    *("record", "values", "contributions", "reviews"),
)

Answered = tuple[LoggedPrediction, Any]  # a prediction, and the part of the answer about the person
Known = tuple[date | None, date]  # when they left, and until when that is known


@click.command()
@click.argument("employee")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each prediction.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write JSON to this file instead of the screen."
)
def show(employee: str, *, as_json: bool, output: Path | None) -> None:
    """Show all about EMPLOYEE: predictions with who asked, what was known and why, reviews, and outcomes.

    The journal records that data was shown, but not whose.
    """
    settings = load()
    if output is not None and output.exists():
        raise SettingsError(f"{output} is already there: name another file")
    with connected(patient=True) as engine:
        forms, number = _look_up(engine, employee, settings)
        record_action(engine, "churn data show", {"predictions": number})
        predictions = privacy.everything_about(engine, forms)
        if output is not None:
            _write(output, predictions, outcomes.about(engine, forms))
            click.echo(f"{number:,} predictions are in {output}")
        elif as_json:
            for line in _json_lines(predictions, outcomes.about(engine, forms)):
                click.echo(line)
        else:
            _print(predictions, outcomes.about(engine, forms))


@click.command()
@click.argument("employee")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def erase(employee: str, *, yes: bool) -> None:
    """Erase every value about EMPLOYEE from the journal. This cannot be undone.

    The rows stay, empty, and so does the proof that nothing else was touched. The journal
    records the erasure, but not whose data it was.
    """
    settings = load()
    _check_spool(settings)
    with connected(patient=True) as engine:
        forms, number = _look_up(engine, employee, settings)
        if not yes:
            click.confirm(f"Erase {number:,} predictions about this employee for good?", abort=True)
        erased = privacy.erase(engine, forms)
    click.echo(f"{erased.predictions:,} predictions and {erased.answers:,} answers erased")
    if erased.reviews:
        click.echo(f"{erased.reviews:,} reviews erased with them")
    if erased.outcomes:
        click.echo(f"{erased.outcomes:,} outcomes erased with them")
    if erased.in_log:
        click.echo(LEFT_IN_LOG)


def _look_up(engine: Engine, employee: str, settings: Settings) -> tuple[tuple[str, ...], int]:
    """Return the forms in which the journal may have an employee's id, and their number of predictions."""
    forms = stored_forms(employee, settings.pseudonym_key.get_secret_value())
    number = privacy.count_about(engine, forms)
    if not number:
        raise IdentityError(
            "the journal has nothing about this employee: check the id, "
            "and CHURN_PSEUDONYM_KEY where ids are hashed"
        )
    return forms, number


def _check_spool(settings: Settings) -> None:
    """Refuse while calls wait in the spool of this machine: they may be about the same person."""
    waiting = Spool(settings.spool, settings.spool_mb * 1024**2).state().records
    if waiting:
        raise SpoolError(
            f"{waiting:,} calls wait in the spool {settings.spool} and may be about this employee: "
            "let the service put them into the database first"
        )


def _json(prediction: LoggedPrediction, answer: object) -> bytes:
    document = {
        "prediction_id": prediction.prediction_id,
        "request_id": prediction.request_id,
        "at": prediction.at,
        "caller_kind": prediction.caller.kind,
        "caller_name": prediction.caller.name,
        **{name: getattr(prediction, name) for name in _SHOWN},
        "answer": answer,
    }
    return orjson.dumps(document)


def _json_lines(predictions: Iterator[Answered], known: Sequence[Known]) -> Iterator[bytes]:
    """Yield a document for each prediction, and for each outcome."""
    yield from (_json(*answered) for answered in predictions)
    yield from (orjson.dumps({"left_on": left_on, "known_until": until}) for left_on, until in known)


def _write(output: Path, predictions: Iterator[Answered], known: Sequence[Known]) -> None:
    try:
        with replacing(output) as part:
            part.chmod(0o600)
            with part.open("wb") as file:
                file.writelines(line + b"\n" for line in _json_lines(predictions, known))
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}") from error


def _print(predictions: Iterator[Answered], known: Sequence[Known]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    dictionary = journalled_dictionary(DICTIONARY)
    for prediction, _ in predictions:
        console.print("\n".join(_lines(prediction, dictionary)), markup=False)
        console.print()
    for left_on, until in known:
        console.print(f"{f'left on {left_on}' if left_on else 'still there'}, known until {until}")


def _lines(prediction: LoggedPrediction, dictionary: Dictionary) -> Iterator[str]:
    asked_by = _who(prediction.caller)
    yield f"{_moment(prediction.at)}  {prediction.route or '?'}, asked by {asked_by}"
    ids = f"prediction {prediction.prediction_id}, request {prediction.request_id}"
    yield f"  {ids}, model {prediction.model}"
    probability, threshold = prediction.probability, prediction.threshold
    if probability is not None:
        verdict = messages.verdict(bool(prediction.prediction), "en")
        yield f"  {verdict}: probability {probability:.4f}, threshold {threshold:.4f}"
    for name, value in (prediction.record or {}).items():
        if value is not None:
            contribution = (prediction.contributions or {}).get(name)
            weight = "" if contribution is None else f"  ({contribution:+.3f} log-odds)"
            field = dictionary.by_name.get(name)
            yield f"    {field.label('en') if field else name}: {value}{weight}"
    for review in prediction.reviews:
        yield f"  review of {_moment(review.at)} by {_who(review.caller)}: {review.verdict}"
        yield from [f"    action: {review.action}"] * (review.action is not None)
        yield from [f"    {line}" for line in (review.comment or "").splitlines()]


def _moment(at: datetime | None) -> str:
    """Return a moment; unknown where somebody removed the row of the call."""
    return "?" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _who(caller: Who) -> str:
    return " ".join(filter(None, (caller.kind, caller.name))) or "?"
