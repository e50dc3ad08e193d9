"""How a training is measured: the folds, what is compared, and in how many processes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed
from sklearn.model_selection import RepeatedStratifiedKFold

from churn.core.progress import Progress
from churn.training.candidates import CANDIDATES, Candidate
from churn.training.fairness import RESAMPLES

MOST_JOBS = 4  # processes: each has a scikit-learn of its own in memory
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Plan:
    """`repeats` times `folds` folds, in `jobs` processes at once (-1: one a core, up to four).

    `resamples` are those of the fairness intervals, 0 for none; `challenge` adds the comparison
    with other kinds of models.
    """

    folds: int = 5
    repeats: int = 4
    seed: int = 0
    candidates: Sequence[Candidate] = CANDIDATES
    resamples: int = RESAMPLES
    challenge: bool = False
    jobs: int = 1

    @property
    def splits(self) -> RepeatedStratifiedKFold:
        """The outer folds."""
        return RepeatedStratifiedKFold(n_splits=self.folds, n_repeats=self.repeats, random_state=self.seed)


class Workers:
    """Calls a function many times, side by side, and reports how far it has got."""

    def __init__(self, jobs: int, steps: int, progress: Progress | None) -> None:
        self._jobs = min(cpu_count(), MOST_JOBS) if jobs < 0 else jobs
        self._steps, self._done = steps, 0
        self._progress = progress or (lambda _done, _total: None)
        self._progress(0, steps)

    def each(self, function: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> list[Result]:
        """Return the result for each tuple of arguments, in their order; each is a step."""
        calls = (delayed(function)(*given) for given in arguments)
        results = []
        for result in Parallel(n_jobs=self._jobs, return_as="generator")(calls):
            results.append(result)
            self._done += 1
            self._progress(self._done, self._steps)
        return results
