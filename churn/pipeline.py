"""The additive logistic model, plain scikit-learn: splines on the numbers, one-hot on the categories.

Each field is encoded as a block of columns that add up to 1 where the field is known and are all
zeros where it is not. So a block's coefficients may be shifted by a constant that moves to the
intercept without changing any prediction of a known record: `centre` uses that to make an unknown
field contribute exactly nothing, and the intercept the log-odds of the average employee.
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

# Compared on 1470 employees: 3 knots of degree 2 with C = 1 reach ROC-AUC 0.854, average precision
# 0.685, Brier score 0.086; smaller C costs calibration (Brier 0.088 to 0.098).
N_KNOTS, DEGREE, C = 3, 2, 1.0
MAX_ITERATIONS = 5000

NUMBERS, CATEGORIES = "numbers", "categories"


def build_pipeline(
    fields: Sequence[Field], *, n_knots: int = N_KNOTS, degree: int = DEGREE, c: float = C
) -> Pipeline:
    """Return the unfitted pipeline for a table that `frame` made of these fields."""
    numbers = [field for field in fields if field.numeric]
    categories = [field for field in fields if not field.numeric]
    splines = SplineTransformer(
        n_knots=n_knots, degree=degree, knots="quantile", extrapolation="constant", handle_missing="zeros"
    )
    one_hot = OneHotEncoder(
        categories=[list(field.categories) for field in categories],
        handle_unknown="ignore",
        sparse_output=False,
    )
    blocks = [(NUMBERS, splines, _names(numbers)), (CATEGORIES, one_hot, _names(categories))]
    # An encoder of no column at all would refuse to fit.
    encode = ColumnTransformer([block for block in blocks if block[2]])
    return Pipeline([("encode", encode), ("classify", LogisticRegression(C=c, max_iter=MAX_ITERATIONS))])


def _names(fields: Sequence[Field]) -> list[str]:
    return [field.name for field in fields]


def fit(pipeline: Pipeline, table: pd.DataFrame, left: NDArray[np.bool_]) -> Pipeline:
    """Fit in place and centre; `left` is the target, one value a row."""
    pipeline.fit(table, left)
    return centre(pipeline, table)


def centre(pipeline: Pipeline, table: pd.DataFrame) -> Pipeline:
    """Make each field contribute nothing on average over the rows of `table` where it is known.

    Changes the fitted pipeline in place and returns it; its predictions for those rows stay. A
    category that no row has taught the model nothing, and contributes nothing like an unknown one.
    """
    classify = pipeline["classify"]
    encoded = np.asarray(pipeline["encode"].transform(table))
    coefficients = classify.coef_[0]
    for block in _blocks(pipeline).values():
        known = encoded[:, block].any(axis=1)
        if known.any():
            mean = float((encoded[known, block] @ coefficients[block]).mean())
            coefficients[block] -= mean
            # Rows that lack the field do not share the shift: predictions of complete rows stay.
            classify.intercept_ += mean
    coefficients[~encoded.any(axis=0)] = 0
    return pipeline


def frame(records: Sequence[Mapping[str, object]], fields: Sequence[Field]) -> pd.DataFrame:
    """Return cleaned records as the table that the pipeline takes, a row each; None or absent is unknown."""
    columns = {field.name: [record.get(field.name) for record in records] for field in fields}
    dtypes = {f.name: float if f.numeric else pd.CategoricalDtype(list(f.categories)) for f in fields}
    return pd.DataFrame(columns, dtype=object).astype(dtypes)


def contributions(pipeline: Pipeline, table: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return the base value, and each field's contribution to each row, in log-odds.

    The contributions have the table's rows, and a column per field. The base value and a row's sum
    add up to the logit of its predicted probability.
    """
    classify = pipeline["classify"]
    weighted = np.asarray(pipeline["encode"].transform(table)) * classify.coef_[0]
    parts = {name: weighted[:, block].sum(axis=1) for name, block in _blocks(pipeline).items()}
    columns = list(pipeline.feature_names_in_)
    return float(classify.intercept_[0]), pd.DataFrame(parts, index=table.index, columns=columns)


def _blocks(pipeline: Pipeline) -> dict[str, slice]:
    """Return the columns of each field among the encoded ones."""
    encode = pipeline["encode"]
    widths: dict[str, int] = {}
    for kind, encoder, names in encode.transformers_:
        if kind == NUMBERS:
            widths |= dict.fromkeys(names, encoder.n_features_out_ // len(names))
        elif kind == CATEGORIES:
            widths |= {name: len(found) for name, found in zip(names, encoder.categories_, strict=True)}
    ends = np.cumsum(list(widths.values()))
    return {
        name: slice(int(end) - width, int(end))
        for (name, width), end in zip(widths.items(), ends, strict=True)
    }
