"""`churn data verify`: tells whether the journal is as it was written."""

import json
import uuid
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from churn.core.atomic_file import replacing
from churn.core.errors import SettingsError
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.records.integrity import Head, IntegrityReport
from churn.records.integrity import verify as walk


@click.command()
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Heads that you kept elsewhere: they must still be in their chains.",
)
@click.option(
    "--save-heads", type=click.Path(path_type=Path), help="Write the heads to this file, to keep elsewhere."
)
def verify(heads: Path | None, save_heads: Path | None) -> None:
    """Follow the journal's chains of digests and name the rows that were changed, removed or inserted.

    The exit code is 1 if there are any. The newest end of a chain can be cut off without a trace in the
    database. So save the heads now and then, keep them out of reach of whoever can write to the database,
    and give them to the next check.
    """
    known = {} if heads is None else _read(heads)
    console = Console(highlight=False, soft_wrap=True)
    with opened(load().database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        with Progress(console=console) as progress:
            task = progress.add_task("Verifying", total=None)
            found = walk(
                engine, lambda done, total: progress.update(task, completed=done, total=total), known
            )
    _tell(console, found)
    if found.findings:
        raise SystemExit(1)
    if save_heads is not None:
        _write(save_heads, found)
        console.print(f"the heads of {len(found.heads)} chains are in {save_heads}", markup=False)


def _tell(console: Console, found: IntegrityReport) -> None:
    lines = [f"{found.rows:,} rows in {found.batches:,} transactions of {len(found.heads):,} chains"]
    lines += [f"{found.erased:,} of them erased on purpose"] * bool(found.erased)
    lines += [f"{found.unsealed:,} requests from before there were seals"] * bool(found.unsealed)
    lines += [str(finding) for finding in found.findings]
    lines += [
        "the journal is NOT as it was written" if found.findings else "the journal is as it was written"
    ]
    console.print("\n".join(lines), markup=False)


def _write(path: Path, found: IntegrityReport) -> None:
    plain = {
        str(chain): {"id": str(head.id), "sequence": head.sequence, "digest": head.digest.hex()}
        for chain, head in found.heads.items()
    }
    with replacing(path) as part:
        part.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[uuid.UUID, Head]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return {
            uuid.UUID(chain): Head(
                uuid.UUID(head["id"]), int(head["sequence"]), bytes.fromhex(head["digest"])
            )
            for chain, head in plain.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} does not hold heads: name a file that --save-heads wrote") from error
