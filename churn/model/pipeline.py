"""The additive logistic model, plain scikit-learn: splines on the numbers, one-hot on the categories.

Each field is encoded as blocks of columns that add up to 1 where the field is known and are all
zeros where it is not. So a block's coefficients may be shifted by a constant that moves to the
intercept without changing any prediction of a known record: `centre` uses that to make an unknown
field contribute exactly nothing, and the intercept the log-odds of the average employee.

The sum is then calibrated: see `churn.model.scorecard.Calibration`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import BSpline, PPoly
from scipy.special import log_expit, logit
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer

from churn.dictionary.field import Field
from churn.model.scorecard import Calibration, Curve, Scorecard, Table

CURVES, LINES, CATEGORIES = "curves", "lines", "categories"
INNER_FOLDS = 5


def build_pipeline(
    fields: Sequence[Field], *, n_knots: int = 6, degree: int = 1, c: float = 0.6, seed: int = 0
) -> Pipeline:
    """Return the unfitted pipeline for a table that `frame` made of these fields.

    `n_knots` and `degree` shape each number's curve, `c` is the inverse of the penalty on the
    coefficients; `seed` splits the rows on which the calibration is learned.
    """
    splits = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    classify = StackingClassifier(
        [("additive", build_additive(c))], _calibrator(), cv=splits, stack_method="decision_function"
    )
    return Pipeline([("encode", build_encoder(fields, n_knots, degree)), ("classify", classify)])


def build_encoder(fields: Sequence[Field], n_knots: int, degree: int) -> ColumnTransformer:
    """Return the unfitted encoder: from a table of these fields to columns with a coefficient each."""
    numbers = _names([field for field in fields if field.numeric])
    categories = [field for field in fields if not field.numeric]
    one_hot = OneHotEncoder(
        categories=[list(field.categories) for field in categories],
        handle_unknown="ignore",
        sparse_output=False,
    )
    blocks = [
        (CURVES, _splines(n_knots, degree), numbers),
        # A straight line is a sum of the splines, too. With columns of its own it costs less of the
        # penalty than any other curve: what the data do not contradict stays straight, not flat.
        (LINES, _splines(2, 1), numbers),
        (CATEGORIES, one_hot, _names(categories)),
    ]
    # An encoder of no column at all would refuse to fit.
    return ColumnTransformer([block for block in blocks if block[2]])


def build_additive(c: float) -> LogisticRegression:
    """Return the unfitted model of encoded columns; `c` as in `build_pipeline`."""
    return LogisticRegression(C=c, solver="newton-cholesky")


def _splines(n_knots: int, degree: int) -> SplineTransformer:
    # Uniform knots: quantiles of a number with few distinct values coincide, and the block of a known
    # value may then be all zeros. A number that never varies has such a block: it teaches nothing.
    return SplineTransformer(
        n_knots=n_knots, degree=degree, knots="uniform", extrapolation="constant", handle_missing="zeros"
    )


def _calibrator() -> Pipeline:
    """Return beta calibration as logistic regression on ln p and -ln(1 - p), from log-odds."""
    low = FunctionTransformer(log_expit)
    negative = FunctionTransformer(np.negative)
    high = make_pipeline(negative, low, negative)
    return make_pipeline(make_union(low, high), LogisticRegression())


def _names(fields: Sequence[Field]) -> list[str]:
    return [field.name for field in fields]


def fit(pipeline: Pipeline, table: pd.DataFrame, has_left: NDArray[np.bool_]) -> Pipeline:
    """Fit in place and centre; `has_left` is the target, one value a row.

    The probability never falls where the sum of the effects rises. Where even one slope for both ends
    would fall, the rows held out contradict what was learned: then nothing was, every effect is 0, and
    the probability is the share who left.
    """
    # Step by step, as the pipeline would: encoding takes as long as fitting, and is needed once.
    encoded = np.asarray(pipeline["encode"].fit_transform(table))
    for calibrator in (_calibrator(), LogisticRegression(), DummyClassifier(strategy="prior")):
        pipeline["classify"].set_params(final_estimator=calibrator).fit(encoded, has_left)
        calibration = calibration_of(pipeline)
        if calibration.never_falls:
            break
    if calibration.low == calibration.high == 0:
        _additive(pipeline).coef_[:] = 0
    return centre(pipeline, encoded)


def centre(pipeline: Pipeline, encoded: NDArray[np.float64]) -> Pipeline:
    """Make each field contribute nothing on average over the encoded rows where it is known.

    Changes the fitted pipeline in place and returns it; its predictions for complete rows stay. A
    category that no row has taught the model nothing, and contributes nothing, like an unknown one.
    """
    additive = _additive(pipeline)
    coefficients = additive.coef_[0]
    for blocks in _blocks(pipeline).values():
        known = encoded[:, blocks[0]].any(axis=1)
        if known.any():
            effect = sum(encoded[known, block] @ coefficients[block] for block in blocks)
            mean = float(np.mean(effect))
            coefficients[blocks[0]] -= mean
            additive.intercept_ += mean
    coefficients[~encoded.any(axis=0)] = 0
    return pipeline


def frame(records: Sequence[Mapping[str, object]], fields: Sequence[Field]) -> pd.DataFrame:
    """Return cleaned records as the table that the pipeline takes, a row each; None or absent is unknown."""
    columns = {field.name: [record.get(field.name) for record in records] for field in fields}
    dtypes = {f.name: float if f.numeric else pd.CategoricalDtype(list(f.categories)) for f in fields}
    return pd.DataFrame(columns, dtype=object).astype(dtypes)


def effects(pipeline: Pipeline, table: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return the base, and each field's effect on each row, in log-odds before calibration.

    The effects have the table's rows, and a column per field.
    """
    additive = _additive(pipeline)
    weighted = np.asarray(pipeline["encode"].transform(table)) * additive.coef_[0]
    parts = {
        name: sum(weighted[:, block].sum(axis=1) for block in blocks)
        for name, blocks in _blocks(pipeline).items()
    }
    columns = list(pipeline.feature_names_in_)
    return float(additive.intercept_[0]), pd.DataFrame(parts, index=table.index, columns=columns)


def contributions(pipeline: Pipeline, table: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    """Return the base value, and each field's contribution to each row, in log-odds.

    Shaped as `effects`. The base value and a row's sum add up to the logit of its predicted probability.
    """
    base, uncalibrated = effects(pipeline, table)
    calibration = calibration_of(pipeline)
    shares = [calibration.share(base, total) for total in uncalibrated.sum(axis=1)]
    return calibration.log_odds(base), uncalibrated.mul(shares, axis=0)


def compile_scorecard(pipeline: Pipeline) -> Scorecard:
    """Return a fitted pipeline as the tables and curves that serving reads; the same to rounding."""
    coefficients = _additive(pipeline).coef_[0]
    blocks = _blocks(pipeline)
    encoders = pipeline["encode"].named_transformers_
    effects: dict[str, Table | Curve] = {}
    for kind, _, names in pipeline["encode"].transformers_:
        for position, name in enumerate(names):
            if kind == CURVES:
                bases = [encoders[part].bsplines_[position] for part in (CURVES, LINES)]
                effects[name] = _curve(bases, [coefficients[block] for block in blocks[name]])
            elif kind == CATEGORIES:
                [block] = blocks[name]
                categories = map(str, encoders[kind].categories_[position])
                effects[name] = Table(dict(zip(categories, coefficients[block].tolist(), strict=True)))
    ordered = {str(name): effects[str(name)] for name in pipeline.feature_names_in_}
    return Scorecard(float(_additive(pipeline).intercept_[0]), ordered, calibration_of(pipeline))


def calibration_of(pipeline: Pipeline) -> Calibration:
    """Return what a fitted pipeline does to its sum of effects."""
    final = pipeline["classify"].final_estimator_
    if isinstance(final, DummyClassifier):
        return Calibration(float(logit(final.class_prior_[1])), low=0.0, high=0.0)
    classify = final[-1] if isinstance(final, Pipeline) else final
    slopes = classify.coef_[0].tolist()
    return Calibration(float(classify.intercept_[0]), low=slopes[0], high=slopes[-1])


def _additive(pipeline: Pipeline) -> LogisticRegression:
    return pipeline["classify"].estimators_[0]


def _curve(bases: Sequence[BSpline], coefficients: Sequence[NDArray[np.float64]]) -> Curve:
    """Return one field's splines and line as polynomials between the knots, where they were fitted."""
    basis, line = bases
    inner = basis.t[basis.k : len(basis.t) - basis.k]
    if inner[0] == inner[-1]:  # it never varied, or was never known: it taught nothing
        return Curve((0.0,), ((0.0,),))
    spline = PPoly.from_spline(BSpline(basis.t, basis.c @ coefficients[0], basis.k))
    pieces = spline.c.T[basis.k : len(basis.t) - basis.k - 1].copy()
    straight = BSpline(line.t, line.c @ coefficients[1], line.k)
    pieces[:, -1] += straight(inner[:-1])
    pieces[:, -2] += straight(inner[:-1], 1)
    return Curve(tuple(inner.tolist()), tuple(tuple(piece) for piece in pieces.tolist()))


def _blocks(pipeline: Pipeline) -> dict[str, list[slice]]:
    """Return the columns of each field among the encoded ones, a block for each of its encoders."""
    blocks: dict[str, list[slice]] = {}
    start = 0
    for kind, encoder, names in pipeline["encode"].transformers_:
        for position, name in enumerate(names):
            width = (
                len(encoder.categories_[position])
                if kind == CATEGORIES
                else encoder.n_features_out_ // len(names)
            )
            blocks.setdefault(name, []).append(slice(start, start + width))
            start += width
    return blocks
