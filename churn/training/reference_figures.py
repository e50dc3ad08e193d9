"""The reference of a trained model, counted on its training rows."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.pipeline import compile_scorecard
from churn.model.reference import SCORE_BINS, FieldReference, Moments, Reference
from churn.model.vectorized import ColumnScorecard

BINS = 12  # of a number, by quantiles: `make bench-monitoring` says what more or fewer would show


def refer(pipeline: Pipeline, table: pd.DataFrame, threshold: float, dictionary: Dictionary) -> Reference:
    """Return the reference of a pipeline that was fitted on a table of its fields."""
    card = compile_scorecard(pipeline)
    columns = ColumnScorecard(card, dictionary)
    contributions = columns.contributions(table)
    probabilities = columns.probabilities_of(contributions)
    places = np.minimum((probabilities * SCORE_BINS).astype(int), SCORE_BINS - 1)
    return Reference(
        rows=len(table),
        base_value=card.base_value,
        log_odds=_moments(contributions.sum(axis=0) + card.base_value),
        scores=tuple(np.bincount(places, minlength=SCORE_BINS).tolist()),
        flagged=int((probabilities >= threshold).sum()),
        fields=tuple(
            field_reference(dictionary.by_name[name], table[name], parts)
            for name, parts in zip(columns.names, contributions, strict=True)
        ),
    )


def field_reference(
    field: Field, column: "pd.Series[float] | pd.Series[str]", parts: NDArray[np.float64]
) -> FieldReference:
    """Return what one column of the training data looks like, and what it contributed."""
    contribution = _moments(parts)
    if not field.numeric:
        categories = pd.Categorical(column, categories=list(field.categories))
        # The code of what is unknown is -1: it comes to stand last.
        places = np.where(categories.codes < 0, len(field.categories), categories.codes)
        counts = np.bincount(places, minlength=len(field.categories) + 1)
        return FieldReference(field.name, tuple(counts.tolist()), contribution, categories=field.categories)
    numbers = np.asarray(column.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    cuts = quantile_cuts(known)
    counts = np.bincount(np.searchsorted(cuts, known, side="right"), minlength=len(cuts) + 1)
    seen = (float(known.min()), float(known.max())) if len(known) else (None, None)
    of_bins = (*counts.tolist(), len(numbers) - len(known))
    return FieldReference(field.name, of_bins, contribution, tuple(cuts.tolist()), (), *seen)


def quantile_cuts(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the bins of some numbers meet: their quantiles, each once, and no bin without a row."""
    if not len(known):
        return known
    cuts = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="higher"))
    return np.asarray(cuts[cuts > known.min()])


def _moments(sample: NDArray[np.float64]) -> Moments:
    return Moments(float(sample.mean()), float(sample.var(ddof=1)))
