"""`churn data show`: everything about one person, as article 15 of the GDPR lets them ask."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click
import orjson
from rich.console import Console

from churn.cli.data.person import look_up
from churn.core.atomic_file import replacing
from churn.core.errors import SettingsError
from churn.core.operator import operator
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.dictionary import domain
from churn.i18n import messages
from churn.journal.operator_actions import record_action
from churn.journal.writer import Writer
from churn.records.privacy import About, everything_about


@click.command()
@click.argument("employee")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a prediction and line.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to, instead of the screen; JSON."
)
def show(employee: str, *, as_json: bool, output: Path | None) -> None:
    """Show every prediction about EMPLOYEE: when, who asked, what was known, what came out and why.

    That it was shown is logged, without whose data it was.
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
            for one in found:
                click.echo(orjson.dumps(dataclasses.asdict(one)))
        else:
            _tell(found)


def _write(output: Path, found: Iterator[About]) -> None:
    try:
        with replacing(output) as part:
            part.chmod(0o600)
            with part.open("wb") as file:
                for one in found:
                    file.write(orjson.dumps(dataclasses.asdict(one)) + b"\n")
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}") from error


def _tell(found: Iterator[About]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for one in found:
        who = one.caller_kind if one.caller_name is None else f"{one.caller_kind} {one.caller_name}"
        lines = [f"{one.at:%Y-%m-%d %H:%M:%S} UTC  {one.route}, asked by {who}"]
        lines += [f"  prediction {one.prediction_id}, request {one.request_id}, model {one.model}"]
        if one.probability is not None:
            verdict = messages.verdict(bool(one.prediction), "en")
            lines += [f"  {verdict}: probability {one.probability:.4f}, threshold {one.threshold:.4f}"]
        for name, value in (one.record or {}).items():
            if value is not None:
                part = (one.contributions or {}).get(name)
                weight = "" if part is None else f"  ({part:+.3f} log-odds)"
                lines += [f"    {domain.BY_NAME[name].label('en')}: {value}{weight}"]
        console.print("\n".join(lines), markup=False)
        console.print()
