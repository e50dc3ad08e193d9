"""`churn data verify`: checks that the journal is as it was written."""

import json
import uuid
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from churn.cli.connection import connected
from churn.core.atomic_file import replacing
from churn.core.errors import SettingsError
from churn.records import integrity
from churn.records.integrity import Head, IntegrityReport


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
    with connected(patient=True) as engine, Progress(console=console) as progress:
        task = progress.add_task("Verifying", total=None)
        report = integrity.verify(
            engine, lambda done, total: progress.update(task, completed=done, total=total), known
        )
    _print(console, report)
    if report.findings:
        raise SystemExit(1)
    if save_heads is not None:
        _write(save_heads, report)
        console.print(f"the heads of {len(report.heads)} chains are in {save_heads}", markup=False)


def _print(console: Console, report: IntegrityReport) -> None:
    lines = [f"{report.rows:,} rows in {report.batches:,} transactions of {len(report.heads):,} chains"]
    lines += [f"{report.erased:,} of them erased on purpose"] * bool(report.erased)
    lines += [f"{report.unsealed:,} requests from before there were seals"] * bool(report.unsealed)
    lines += [str(finding) for finding in report.findings]
    lines += [
        "the journal is NOT as it was written" if report.findings else "the journal is as it was written"
    ]
    console.print("\n".join(lines), markup=False)


def _write(path: Path, report: IntegrityReport) -> None:
    plain = {
        str(chain): {"id": str(head.id), "sequence": head.sequence, "digest": head.digest.hex()}
        for chain, head in report.heads.items()
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
