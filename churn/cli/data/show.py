"""`churn data show`: everything about one person, as article 15 of the GDPR lets them ask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console

from churn.cli.company import DICTIONARY
from churn.cli.data.person import look_up
from churn.core.atomic_file import replacing
from churn.core.errors import SettingsError
from churn.core.operator import operator
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.i18n import messages
from churn.journal.operator_actions import record_action
from churn.journal.writer import Writer
from churn.records.privacy import everything_about
from churn.schemas.logged_prediction import LoggedPrediction


@click.command()
@click.argument("employee")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each prediction.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write JSON to this file instead of the screen."
)
def show(employee: str, *, as_json: bool, output: Path | None) -> None:
    """Show every prediction about EMPLOYEE: when, who asked, what was known, what came out and why.

    The journal records that data was shown, but not whose.
    """
    settings = load()
    if output is not None and output.exists():
        raise SettingsError(f"{output} is already there: name another file")
    with opened(settings.database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        forms, number = look_up(engine, employee, settings)
        writer = Writer(engine)
        record_action(writer, "churn data show", {"predictions": number}, operator())
        writer.close()
        found = everything_about(engine, forms)
        if output is not None:
            _write(output, found)
            click.echo(f"{number:,} predictions are in {output}")
        elif as_json:
            for prediction, answer in found:
                click.echo(_line(prediction, answer))
        else:
            _tell(found)


def _line(prediction: LoggedPrediction, answer: object) -> bytes:
    """Return a prediction as one line of JSON."""
    document = {
        "prediction_id": prediction.prediction_id,
        "request_id": prediction.request_id,
        "at": prediction.at,
        "caller_kind": prediction.caller.kind,
        "caller_name": prediction.caller.name,
        "route": prediction.route,
        "model": prediction.model,
        "threshold": prediction.threshold,
        "prediction": prediction.prediction,
        "probability": prediction.probability,
        "base_value": prediction.base_value,
        "record": prediction.record,
        "values": prediction.values,
        "contributions": prediction.contributions,
        "answer": answer,
    }
    return orjson.dumps(document)


def _write(output: Path, found: Iterator[tuple[LoggedPrediction, Any]]) -> None:
    try:
        with replacing(output) as part:
            part.chmod(0o600)
            with part.open("wb") as file:
                file.writelines(_line(*about) + b"\n" for about in found)
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}") from error


def _tell(found: Iterator[tuple[LoggedPrediction, Any]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for prediction, _ in found:
        console.print("\n".join(_lines(prediction)), markup=False)
        console.print()


def _lines(prediction: LoggedPrediction) -> Iterator[str]:
    # Unknown where somebody has torn the call's row out.
    at = "?" if prediction.at is None else f"{prediction.at:%Y-%m-%d %H:%M:%S} UTC"
    who = " ".join(filter(None, (prediction.caller.kind, prediction.caller.name))) or "?"
    yield f"{at}  {prediction.route or '?'}, asked by {who}"
    ids = f"prediction {prediction.prediction_id}, request {prediction.request_id}"
    yield f"  {ids}, model {prediction.model}"
    probability, threshold = prediction.probability, prediction.threshold
    if probability is not None:
        verdict = messages.verdict(bool(prediction.prediction), "en")
        yield f"  {verdict}: probability {probability:.4f}, threshold {threshold:.4f}"
    for name, value in (prediction.record or {}).items():
        if value is not None:
            part = (prediction.contributions or {}).get(name)
            weight = "" if part is None else f"  ({part:+.3f} log-odds)"
            yield f"    {DICTIONARY.by_name[name].label('en')}: {value}{weight}"
