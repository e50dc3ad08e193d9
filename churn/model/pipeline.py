"""The additive logistic model, plain scikit-learn: splines on the numbers, one-hot on the categories.

Each field is encoded as blocks of columns that add up to 1 where the field is known and are all
zeros where it is not. So a block's coefficients may be shifted by a constant that moves to the
intercept without changing any prediction of a known record: `centre` uses that to make an unknown
field contribute exactly nothing, and the intercept the log-odds of the average employee.

Where fields are paired, `churn.model.boosting` adds to that what two of them do together; without pairs, the
pipeline is plain scikit-learn, and no class of this package is in its pickle.

The sum is then calibrated: see `churn.model.scorecard.Calibration`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import BSpline, PPoly
from scipy.special import log_expit, logit
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from churn.dictionary.field import Field
from churn.model.boosting import PairedAdditive, PairEffects
from churn.model.encoder import (
    CATEGORIES,
    CURVES,
    LINES,
    axes_of,
    blocks_of,
    build_encoder,
    cell_fields,
    cell_names,
    names_of,
)
from churn.model.pairs import Axis, Pairs, PairTable
from churn.model.scorecard import Calibration, Curve, Scorecard, Table
from churn.model.steps import with_steps

INNER_FOLDS = 5

NamePair = tuple[str, str]


def build_pipeline(
    fields: Sequence[Field],
    *,
    n_knots: int = 6,
    degree: int = 1,
    c: float = 0.6,
    pairs: Sequence[NamePair] = (),
    rounds: int = 0,
    folds: int = INNER_FOLDS,
    seed: int = 0,
) -> Pipeline:
    """Return the unfitted pipeline for a table that `frame` made of these fields.

    `n_knots` and `degree` shape each number's curve, `c` is the inverse of the penalty on the
    coefficients; `pairs` are boosted for so many `rounds`; `seed` splits the rows into the `folds` on which
    the calibration is learned.
    """
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    additive = build_additive(c)
    paired = {name for pair in pairs for name in pair}
    if pairs:
        cells = cell_fields(fields, paired)
        additive = PairedAdditive(additive, len(cells), *_places(cells, pairs), rounds)
    classify = StackingClassifier(
        [("additive", additive)], _calibrator(), cv=splits, stack_method="decision_function"
    )
    return Pipeline([("encode", build_encoder(fields, n_knots, degree, paired)), ("classify", classify)])


def _places(cells: Sequence[Field], pairs: Sequence[NamePair]) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the columns of each pair, and those of categories."""
    names = names_of(cells)
    columns = [(names.index(first), names.index(second)) for first, second in pairs]
    return columns, [column for column, field in enumerate(cells) if not field.numeric]


def build_additive(c: float) -> LogisticRegression:
    """Return the unfitted model of encoded columns; `c` as in `build_pipeline`."""
    return LogisticRegression(C=c, solver="newton-cholesky")


def _calibrator() -> Pipeline:
    """Return beta calibration as logistic regression on ln p and -ln(1 - p), from log-odds."""
    low = FunctionTransformer(log_expit)
    negative = FunctionTransformer(np.negative)
    high = make_pipeline(negative, low, negative)
    return make_pipeline(make_union(low, high), LogisticRegression())


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
        if (paired := _pair_effects(pipeline)) is not None:
            paired.forget()
    return centre(pipeline, encoded)


def centre(pipeline: Pipeline, encoded: NDArray[np.float64]) -> Pipeline:
    """Make each field contribute nothing on average over the encoded rows where it is known.

    Changes the fitted pipeline in place and returns it; its predictions for complete rows stay. A
    category that no row has taught the model nothing, and contributes nothing, like an unknown one.
    """
    additive = _additive(pipeline)
    coefficients = additive.coef_[0]
    encoded = encoded[:, : len(coefficients)]
    for blocks in blocks_of(pipeline["encode"]).values():
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
    additive, paired = _additive(pipeline), _pair_effects(pipeline)
    encoded = np.asarray(pipeline["encode"].transform(table))
    weighted = encoded[:, : len(additive.coef_[0])] * additive.coef_[0]
    parts = {
        name: sum(weighted[:, block].sum(axis=1) for block in blocks)
        for name, blocks in blocks_of(pipeline["encode"]).items()
    }
    base = float(additive.intercept_[0])
    if paired is not None:
        base += paired.base
        names = cell_names(pipeline["encode"])
        for name, part in zip(names, paired.of(encoded[:, -len(names) :]).T, strict=True):
            parts[name] = parts[name] + part
    columns = list(pipeline.feature_names_in_)
    return base, pd.DataFrame(parts, index=table.index, columns=columns)


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
    blocks = blocks_of(pipeline["encode"])
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
    base = float(_additive(pipeline).intercept_[0])
    pairs = Pairs()
    if (paired := _pair_effects(pipeline)) is not None:
        base += paired.base
        axes = axes_of(pipeline["encode"])
        for (name, axis), main in zip(axes.items(), paired.mains, strict=True):
            effects[name] = with_steps(effects[name], axis, main.tolist())
        names = list(axes)
        tables = zip(paired.pairs, paired.tables, strict=True)
        pairs = Pairs(axes, tuple(_pair_table(axes, (names[a], names[b]), table) for (a, b), table in tables))
    ordered = {str(name): effects[str(name)] for name in pipeline.feature_names_in_}
    return Scorecard(base, ordered, calibration_of(pipeline), pairs)


def _pair_table(axes: Mapping[str, Axis], fields: NamePair, table: NDArray[np.float64]) -> PairTable:
    """Return a table with every cell of both fields; those of the last categories may have had no row."""
    sizes = [axes[name].size for name in fields]
    whole = np.zeros(sizes)
    whole[: table.shape[0], : table.shape[1]] = table
    return PairTable(fields, tuple(map(tuple, whole.tolist())))


def calibration_of(pipeline: Pipeline) -> Calibration:
    """Return what a fitted pipeline does to its sum of effects."""
    final = pipeline["classify"].final_estimator_
    if isinstance(final, DummyClassifier):
        return Calibration(float(logit(final.class_prior_[1])), low=0.0, high=0.0)
    classify = final[-1] if isinstance(final, Pipeline) else final
    slopes = classify.coef_[0].tolist()
    return Calibration(float(classify.intercept_[0]), low=slopes[0], high=slopes[-1])


def _additive(pipeline: Pipeline) -> LogisticRegression:
    additive = pipeline["classify"].estimators_[0]
    return additive.additive_ if isinstance(additive, PairedAdditive) else additive


def _pair_effects(pipeline: Pipeline) -> PairEffects | None:
    additive = pipeline["classify"].estimators_[0]
    return additive.pair_effects_ if isinstance(additive, PairedAdditive) else None


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
