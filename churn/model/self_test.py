"""The self-test: a loaded model must answer its golden rows as scikit-learn did when it was trained."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from churn.core.errors import ModelError
from churn.dictionary.dictionary import Dictionary
from churn.model.scorecard import Scorecard

TOLERANCE = 1e-9  # of a probability, and of a contribution in log-odds

LIBRARIES = ("bentoml", "numpy", "pandas", "scikit-learn", "scipy")
NONE = "none"  # the version of a library that is not installed


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What the test found: with a failure the model must not serve, notes are for who reads them."""

    failures: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the model may serve."""
        return not self.failures

    def require(self, tag: str) -> None:
        """Accept a model that passed; raises ModelError, with why, where it did not."""
        if self.failures:
            raise ModelError(f"model {tag} failed its self-test: {'; '.join(self.failures)}")


def examine(
    scorecard: Scorecard,
    dictionary: Dictionary,
    *,
    fields: Sequence[str],
    threshold: float,
    golden: Sequence[Mapping[str, Any]],
    versions: Mapping[str, str],
) -> SelfTest:
    """Test a model; `golden` is what `golden_rows` made, `versions` those it was made with."""
    failures = [
        *_fields(scorecard, dictionary, fields),
        *_threshold(threshold),
        *_calibration(scorecard),
        *_golden(scorecard, golden),
    ]
    return SelfTest(tuple(failures), tuple(_versions(versions)))


def library_versions() -> dict[str, str]:
    """Return the versions that are installed here."""
    return {name: _version(name) for name in LIBRARIES}


@cache  # to find it, all that the package says of itself is read
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return NONE


def _fields(scorecard: Scorecard, dictionary: Dictionary, fields: Sequence[str]) -> list[str]:
    unknown = sorted(set(fields) - {field.name for field in dictionary.inputs})
    failures = [f"it takes fields that this version does not know: {', '.join(unknown)}"] * bool(unknown)
    if set(scorecard.effects) != set(fields):
        failures.append("its scorecard has other fields than it says")
    return failures


def _threshold(threshold: float) -> list[str]:
    return [] if 0 <= threshold <= 1 else ["its threshold is no probability"]


def _calibration(scorecard: Scorecard) -> list[str]:
    if scorecard.calibration.never_falls:
        return []
    return ["its probability falls where its reasons rise, so that it ranks people the wrong way round"]


def _golden(scorecard: Scorecard, golden: Sequence[Mapping[str, Any]]) -> list[str]:
    if not golden:
        return ["it has no golden rows"]
    wrong = sum(not _reproduces(scorecard, row) for row in golden)
    return [f"{wrong} of {len(golden)} golden rows are not reproduced to {TOLERANCE:g}"] if wrong else []


def _reproduces(scorecard: Scorecard, row: Mapping[str, Any]) -> bool:
    contributions = scorecard.contributions(row["record"])
    expected = {**row["contributions"], "": row["probability"]}
    answered = {**contributions, "": scorecard.probability(contributions)}
    return answered.keys() == expected.keys() and all(
        math.isclose(answered[name], expected[name], rel_tol=0, abs_tol=TOLERANCE) for name in expected
    )


def _versions(versions: Mapping[str, str]) -> list[str]:
    # Serving computes with the standard library only, and the golden rows hold it: another version
    # of these is worth knowing for those who unpickle the pipeline, and no reason to refuse service.
    # Where one is not installed, nobody does.
    here = library_versions()
    return [
        f"exported with {name} {then}, here is {here[name]}"
        for name, then in versions.items()
        if here.get(name, NONE) not in (then, NONE)
    ]
