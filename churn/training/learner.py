"""Learning from some rows and nothing from any other: the curves' shape, penalty, pairs, the threshold."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from churn.dictionary.field import Field
from churn.model.encoder import build_encoder
from churn.model.pipeline import INNER_FOLDS, build_additive, build_pipeline, fit
from churn.training.candidates import CANDIDATES, Candidate
from churn.training.pair_search import search
from churn.training.thresholds import HasLeft, Policy, Probabilities

RowNumbers = NDArray[np.intp]

# A company of more people is large: the choice is made on so many rows, drawn of all, and all else on few
# folds. More would cost minutes and tell the same.
LARGE, LARGE_FOLDS = 20_000, 3


@dataclass(frozen=True, slots=True)
class Learned:
    """A fitted pipeline, the candidate that it is of, and the training rows' probabilities.

    `held_out` has one probability a row, each by a pipeline that did not see the row: what
    thresholds are chosen on.
    """

    pipeline: Pipeline
    candidate: Candidate
    has_left: HasLeft
    held_out: Probabilities

    def threshold(self, policy: Policy) -> float:
        """Return the policy's threshold for the rows that were learned from."""
        return policy.choose(self.has_left, self.held_out)


@dataclass(frozen=True, slots=True)
class Learner:
    """Chooses a candidate, fits it and calibrates it, all on the rows that it is given.

    A single candidate is no choice, and takes no pairs but its own.
    """

    fields: tuple[Field, ...]
    candidates: Sequence[Candidate] = CANDIDATES
    seed: int = 0

    def __call__(self, table: pd.DataFrame, has_left: HasLeft) -> Learned:
        """Learn from a table of the fields and its target."""
        # The matrices are small: threads of their algebra would only get in each other's way.
        with threadpool_limits(1):
            candidate = self._choose(table, has_left)
            held_out = np.empty(len(has_left))
            for inside, outside in self._splits(table, has_left):
                pipeline = self._fit(candidate, table.iloc[inside], has_left[inside])
                held_out[outside] = probabilities(pipeline, table.iloc[outside])
            return Learned(self._fit(candidate, table, has_left), candidate, has_left, held_out)

    def _fit(self, candidate: Candidate, table: pd.DataFrame, has_left: HasLeft) -> Pipeline:
        choices = {**asdict(candidate), "folds": _folds(len(table)), "seed": self.seed}
        return fit(build_pipeline(self.fields, **choices), table, has_left)

    def _choose(self, table: pd.DataFrame, has_left: HasLeft) -> Candidate:
        """Return the candidate with the least log loss on rows that it has not seen, uncalibrated.

        It has pairs where these make it better.
        """
        if len(self.candidates) == 1:
            return self.candidates[0]
        if len(table) > LARGE:
            table, _, has_left, _ = train_test_split(
                table, has_left, train_size=LARGE, stratify=has_left, random_state=self.seed
            )
        splits = self._splits(table, has_left)
        candidate = self._additive(table, has_left, splits)
        return search(self.fields, candidate, table, has_left, splits) or candidate

    def _additive(
        self, table: pd.DataFrame, has_left: HasLeft, splits: Sequence[tuple[RowNumbers, RowNumbers]]
    ) -> Candidate:
        """Return the best candidate, as it is without pairs."""
        held_out = {candidate: np.empty(len(has_left)) for candidate in self.candidates}
        shapes = {(candidate.n_knots, candidate.degree) for candidate in self.candidates}
        for n_knots, degree in sorted(shapes):
            alike = [c for c in self.candidates if (c.n_knots, c.degree) == (n_knots, degree)]
            for inside, outside in splits:
                # Encoded once for every penalty: that takes longer than the fit.
                encoder = build_encoder(self.fields, n_knots, degree)
                seen = encoder.fit_transform(table.iloc[inside])
                unseen = encoder.transform(table.iloc[outside])
                for candidate in alike:
                    additive = build_additive(candidate.c).fit(seen, has_left[inside])
                    held_out[candidate][outside] = additive.predict_proba(unseen)[:, 1]
        return min(self.candidates, key=lambda candidate: log_loss(has_left, held_out[candidate]))

    def _splits(self, table: pd.DataFrame, has_left: HasLeft) -> list[tuple[RowNumbers, RowNumbers]]:
        folds = StratifiedKFold(_folds(len(table)), shuffle=True, random_state=self.seed)
        return list(folds.split(table, has_left))


def _folds(rows: int) -> int:
    return LARGE_FOLDS if rows > LARGE else INNER_FOLDS


def probabilities(pipeline: Pipeline, table: pd.DataFrame) -> Probabilities:
    """Return each row's probability to leave."""
    return np.asarray(pipeline.predict_proba(table)[:, 1])
