"""The additive logistic model, plain scikit-learn: splines on the numbers, one-hot on the categories.

Every block of columns (one per field) adds up to 1 where the field is known and is all zeros where
it is not. So a block's coefficients may be shifted by a constant that moves to the intercept
without changing any prediction of a known record: `centre` uses that to make an unknown field
contribute exactly nothing, and the intercept the log-odds of the average employee.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from churn.domain import Field

N_KNOTS, DEGREE, C = 3, 2, 1.0


def build_pipeline(
    fields: Sequence[Field], *, n_knots: int = N_KNOTS, degree: int = DEGREE, c: float = C
) -> Pipeline:
    """Return the unfitted pipeline for a table that `frame` made of these fields."""
    blocks = [(field.name, _encoder(field, n_knots, degree), [field.name]) for field in fields]
    return Pipeline(
        [
            ("encode", ColumnTransformer(blocks, verbose_feature_names_out=False)),
            ("classify", LogisticRegression(C=c, max_iter=5000)),
        ]
    )


def _encoder(field: Field, n_knots: int, degree: int) -> SplineTransformer | OneHotEncoder:
    if field.numeric:
        return SplineTransformer(
            n_knots=n_knots, degree=degree, knots="quantile", extrapolation="constant", handle_missing="zeros"
        )
    return OneHotEncoder(categories=[list(field.categories)], handle_unknown="ignore", sparse_output=False)


def fit(pipeline: Pipeline, table: pd.DataFrame, left: NDArray[np.bool_]) -> Pipeline:
    """Fit in place and centre; `left` is the target, one value a row."""
    pipeline.fit(table, left)
    return centre(pipeline, table)


def centre(pipeline: Pipeline, table: pd.DataFrame) -> Pipeline:
    """Make each field contribute nothing on average over the rows where it is known."""
    encode, classify = pipeline["encode"], pipeline["classify"]
    encoded = np.asarray(encode.transform(table))
    for block in _blocks(pipeline).values():
        known = encoded[:, block].sum(axis=1) > 0.5
        if known.any():
            mean = float((encoded[known][:, block] @ classify.coef_[0, block]).mean())
            classify.coef_[0, block] -= mean
            classify.intercept_ += mean
    return pipeline


def frame(records: Sequence[Mapping[str, object]], fields: Sequence[Field]) -> pd.DataFrame:
    """Return cleaned records as the table that the pipeline takes; None is unknown."""
    columns = {field.name: [record.get(field.name) for record in records] for field in fields}
    dtypes = {f.name: float if f.numeric else pd.CategoricalDtype(list(f.categories)) for f in fields}
    return pd.DataFrame(columns, dtype=object).astype(dtypes)


def contributions(pipeline: Pipeline, table: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return the base value and each field's contribution, a row per record, in log-odds."""
    encoded = np.asarray(pipeline["encode"].transform(table))
    weighted = encoded * pipeline["classify"].coef_[0]
    parts = {name: weighted[:, block].sum(axis=1) for name, block in _blocks(pipeline).items()}
    return float(pipeline["classify"].intercept_[0]), pd.DataFrame(parts, index=table.index)


def _blocks(pipeline: Pipeline) -> dict[str, slice]:
    encode = pipeline["encode"]
    return {name: encode.output_indices_[name] for name, _, _ in encode.transformers}
