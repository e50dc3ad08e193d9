"""The journal as what a model learns from: what was asked, and what has become of the people since."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Any

import click
import orjson

from churn.cli.company import DICTIONARY
from churn.cli.connection import connected
from churn.cli.horizon import horizon_option
from churn.cli.source import Tell, TrainingData
from churn.core.errors import TrainingError
from churn.core.settings import load
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.plain_dictionary import to_document
from churn.ingest.data_frames import labelled_frame
from churn.model import registry
from churn.model.registry import ServedModel
from churn.model.served_dictionary import dictionary_of
from churn.records.followed import FollowedPrediction
from churn.records.labelled_inputs import LabelledInputs, is_held_out, labelled_inputs
from churn.schemas.performance_query import YEAR

HELD_OUT, MOST_HELD_OUT = 0.2, 0.5  # of the employees
FEWEST = 20  # leavers among those that a model learns from: with fewer, even their share is a guess

_DAY = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True, slots=True)
class JournalSource:
    """What the service was asked since a day, and who left within a horizon, in days.

    The fields are those of the `current` model, which is the one that serves. A share of the employees is
    `held_out`, to compare models on.
    """

    current: ServedModel
    horizon: int = YEAR
    since: date | None = None
    held_out: float = HELD_OUT

    @property
    def dictionary(self) -> Dictionary:
        """The dictionary of what is learned from."""
        return self.current.dictionary

    def read(self, tell: Tell) -> TrainingData:
        """Return the employees that are not held out; `tell` is told how many there are.

        Raises:
            TrainingError: too few have left.
            DatabaseError: the journal cannot be read.
        """
        found = read_labelled_inputs(self.dictionary, self.horizon, self._is_wanted)
        leavers = sum(found.left)
        if leavers < FEWEST:
            raise TrainingError(
                f"the journal has {leavers} employees who left within {self.horizon} days of their first "
                f"prediction{'' if self.since is None else f' since {self.since}'}, and {found.unknown} of "
                f"whom that is not known yet: expected {FEWEST} leavers. Record who has left and who is "
                "still here (`churn outcomes FILE`), shorten --horizon, or train on a file"
            )
        first, last = min(found.days), max(found.days)
        tell(
            f"{len(found.left):,} employees first predicted about from {first} to {last}, {leavers:,} of "
            f"whom left within {self.horizon} days; {found.unknown:,} more are not known for so long yet"
        )
        facts = {
            "horizon_days": self.horizon,
            "held_out": self.held_out,
            "from": f"{first}",
            "until": f"{last}",
        }
        frame = labelled_frame(found.employee_ids, found.records, found.left, self.dictionary)
        return TrainingData(frame, self.dictionary, _fingerprint(found), journal=facts)

    def _is_wanted(self, prediction: FollowedPrediction) -> bool:
        is_since = self.since is None or prediction.day >= self.since
        return is_since and not is_held_out(prediction.employee_id, self.held_out)


def journal_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what to take of the journal, as the argument `journal`, or None."""

    @click.option(
        "--from-journal", is_flag=True, help="Learn from logged inputs with outcomes (`churn outcomes`)."
    )
    @horizon_option(f"Of the journal: within which people left.  [default: {YEAR}]")
    @click.option(
        "--since",
        type=_DAY,
        metavar="DAY",
        help="Of the journal: the first day of predictions to learn from.",
    )
    @click.option(
        "--hold-out",
        type=click.FloatRange(0, MOST_HELD_OUT),
        help=f"Of the journal: the share of employees to compare models on.  [default: {HELD_OUT}]",
    )
    @wraps(command)
    def with_journal(
        horizon: int | None,
        since: datetime | None,
        hold_out: float | None,
        *,
        from_journal: bool,
        **others: Any,
    ) -> None:
        if from_journal:
            first_day, held_out = since and since.date(), HELD_OUT if hold_out is None else hold_out
            current = registry.load(load().model, DICTIONARY)
            others["journal"] = JournalSource(current, horizon or YEAR, first_day, held_out)
        elif any(option is not None for option in (horizon, since, hold_out)):
            raise click.UsageError("--horizon, --since and --hold-out are of the journal: add --from-journal")
        command(**{"journal": None, **others})

    return with_journal


def read_labelled_inputs(
    dictionary: Dictionary, horizon: int, is_wanted: Callable[[FollowedPrediction], bool]
) -> LabelledInputs:
    """Return the labelled inputs to all models of the store that have the same fields.

    Raises:
        DatabaseError: the journal cannot be read.
    """
    document = to_document(dictionary)
    tags = [str(model.tag) for model in registry.models()]
    same = [tag for tag in tags if (its := dictionary_of(tag, DICTIONARY)) and to_document(its) == document]
    with connected(patient=True) as engine:
        return labelled_inputs(engine, same, horizon, is_wanted)


def unseen(reports: Iterable[Mapping[str, Any]]) -> Callable[[FollowedPrediction], bool]:
    """Return what tells of a prediction whether models, by their reports, learned nothing of what came of it.

    They did not where they held the employee out, or were there already when it was made.
    """
    facts = [(_held_out(report), datetime.fromisoformat(report["created_at"]).date()) for report in reports]

    def is_unseen(prediction: FollowedPrediction) -> bool:
        return all(
            prediction.day > created or is_held_out(prediction.employee_id, share) for share, created in facts
        )

    return is_unseen


def _held_out(report: Mapping[str, Any]) -> float:
    return float((report.get("journal") or {}).get("held_out", 0))


def _fingerprint(found: LabelledInputs) -> str:
    rows = zip(found.employee_ids, found.records, found.left, strict=True)
    digest = hashlib.sha256()
    for row in rows:
        digest.update(orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
    return f"sha256:{digest.hexdigest()}"
