"""What a training found out, as plain typed values: kept with the model, drawn by `churn.report`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from churn.training.candidates import Candidate
from churn.training.challengers import Challenger
from churn.training.evaluation import Curves, MeanSd
from churn.training.fairness import Audit
from churn.training.signal import Signal
from churn.training.summary import FieldSummary
from churn.training.thresholds import Threshold


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy would cost: its threshold for the exported model, and out-of-fold counts.

    The counts are employees of the training data, a mean over the repeats, by thresholds that were
    chosen inside the folds.
    """

    policy: str
    threshold: float
    flagged: float
    found: float
    missed: float
    false_alarms: float


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What was trained on what, and how good it is on data that it did not see.

    `metrics` and `signal` are over all folds of all repeats; `fields` the inputs, `left_out` the fields
    that are none; `candidate` what the exported model was fitted with, `chosen` what each fold chose;
    `choices` begins with the policy in force; `seen` has the smallest and largest value of each number.
    """

    n_rows: int
    n_departures: int
    fields: tuple[str, ...]
    left_out: tuple[str, ...]
    candidate: Candidate
    chosen: tuple[Candidate, ...]
    metrics: Mapping[str, MeanSd]
    signal: Signal
    threshold: Threshold
    folds: int
    repeats: int
    seed: int
    summaries: tuple[FieldSummary, ...]
    curves: Curves
    choices: tuple[Choice, ...]
    fairness: tuple[Audit, ...]
    challengers: tuple[Challenger, ...]

    @property
    def seen(self) -> dict[str, tuple[float, float]]:
        """The range of each number of which any is known, the protected ones included."""
        return {of.name: (of.quartiles[0], of.quartiles[-1]) for of in self.summaries if of.quartiles}

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, fit for JSON."""
        plain: dict[str, Any] = json.loads(json.dumps({**asdict(self), "seen": self.seen}, allow_nan=False))
        return plain
