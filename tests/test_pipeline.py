"""The additive model: blocks that add up to one, exact contributions, and what is unknown."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model.pipeline import build_pipeline, calibration_of, centre, contributions, effects, fit, frame
from churn.model.sample import make_employees
from tests.support.real_data import REAL_DATA, needs_real_data

CORE_NAMES = {field.name for field in TECHNOVA.core}

Left = NDArray[np.bool_]


def learnable(rows: int = 400) -> tuple[pd.DataFrame, Left]:
    employees = make_employees(rows)
    has_left = (employees[TECHNOVA.target.name] == TECHNOVA.left).to_numpy(dtype=bool)
    return frame(employees.to_dict("records"), TECHNOVA.features), has_left  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return learnable()[0]


@pytest.fixture(scope="module")
def fitted() -> Pipeline:
    return fit(build_pipeline(TECHNOVA.features), *learnable())


def log_odds(pipeline: Pipeline, table: pd.DataFrame) -> NDArray[np.float64]:
    probabilities = pipeline.predict_proba(table)[:, 1]
    return np.asarray(np.log(probabilities / (1 - probabilities)))


def only_core(table: pd.DataFrame) -> pd.DataFrame:
    optional = [name for name in table.columns if name not in CORE_NAMES]
    return table.assign(**dict.fromkeys(optional)).astype(table.dtypes)


def assert_adds_up(pipeline: Pipeline, table: pd.DataFrame) -> None:
    base_value, parts = contributions(pipeline, table)
    assert list(parts.columns) == list(table.columns)
    assert parts.index.equals(table.index)
    np.testing.assert_allclose(base_value + parts.sum(axis=1), log_odds(pipeline, table), rtol=0, atol=1e-9)


class TestFrame:
    def test_a_column_per_field_typed_for_the_pipeline(self) -> None:
        table = frame(
            [{"poste": "Manager", "revenu_mensuel": 3000}, {"revenu_mensuel": None}], TECHNOVA.features
        )
        assert list(table.columns) == [field.name for field in TECHNOVA.features]
        for field in TECHNOVA.features:
            expected = (
                np.dtype(float) if field.numeric else pd.CategoricalDtype(categories=list(field.categories))
            )
            assert table[field.name].dtype == expected

    def test_none_and_absent_are_unknown(self) -> None:
        table = frame(
            [{"poste": "Manager", "revenu_mensuel": 3000}, {"revenu_mensuel": None}], TECHNOVA.features
        )
        assert table.notna().sum().sum() == 2
        assert table.loc[0, "revenu_mensuel"] == 3000


class TestContributions:
    def test_add_up_on_the_training_rows(self, fitted: Pipeline, table: pd.DataFrame) -> None:
        assert_adds_up(fitted, table)

    def test_add_up_with_unknown_fields(self, fitted: Pipeline, table: pd.DataFrame) -> None:
        gaps = np.random.default_rng(1).random(table.shape) < 0.3
        assert_adds_up(fitted, table.mask(gaps))
        assert_adds_up(fitted, only_core(table))

    def test_add_up_out_of_the_training_range_and_stay_as_at_its_edge(self, fitted: Pipeline) -> None:
        seen, beyond = {"distance_domicile_travail": 29.0}, {"distance_domicile_travail": 1000.0}
        records = frame([seen, beyond, {"revenu_mensuel": 1e9}, {"revenu_mensuel": 0.0}], TECHNOVA.features)
        assert_adds_up(fitted, records)
        far = contributions(fitted, records)[1]["distance_domicile_travail"]
        assert far[0] == pytest.approx(far[1])
        assert far[0] != 0

    def test_keep_the_rows_labels(self, fitted: Pipeline, table: pd.DataFrame) -> None:
        assert_adds_up(fitted, table.iloc[[7, 3]])

    def test_follow_the_order_of_the_columns(self) -> None:
        mixed = tuple(reversed(TECHNOVA.features))
        table, has_left = learnable()
        turned = table[[field.name for field in mixed]]
        assert_adds_up(fit(build_pipeline(mixed), turned, has_left), turned)


class TestUnknown:
    def test_contributes_exactly_nothing(self, fitted: Pipeline, table: pd.DataFrame) -> None:
        optional = [name for name in table.columns if name not in CORE_NAMES]
        assert (contributions(fitted, only_core(table))[1][optional] == 0).all(axis=None)

    def test_the_unknown_employee_has_the_base_value(self, fitted: Pipeline) -> None:
        nobody = frame([{}], TECHNOVA.features)
        assert log_odds(fitted, nobody)[0] == pytest.approx(contributions(fitted, nobody)[0], abs=1e-12)

    def test_a_category_of_no_training_row_contributes_nothing(self) -> None:
        table, has_left = learnable()
        others = (table["poste"] != "Manager").to_numpy()
        pipeline = fit(build_pipeline(TECHNOVA.features), table[others], has_left[others])
        parts = contributions(
            pipeline, frame([{"poste": "Manager"}, {"poste": "Tech Lead"}], TECHNOVA.features)
        )[1]
        assert parts["poste"][0] == 0
        assert parts["poste"][1] != 0

    @pytest.mark.parametrize("value", [np.nan, 3.0], ids=["unknown", "the same"])
    def test_a_number_that_says_nothing_in_training_contributes_nothing(self, value: float) -> None:
        table, has_left = learnable()
        pipeline = fit(build_pipeline(TECHNOVA.features), table.assign(niveau_education=value), has_left)
        assert (contributions(pipeline, table)[1]["niveau_education"] == 0).all()


class TestCentre:
    def test_every_field_has_no_effect_on_average(self, fitted: Pipeline, table: pd.DataFrame) -> None:
        means = effects(fitted, table)[1].mean()
        np.testing.assert_allclose(means, 0, atol=1e-12)

    def test_the_average_is_over_the_rows_where_the_field_is_known(self) -> None:
        table, has_left = learnable()
        gaps = np.random.default_rng(2).random(table.shape) < 0.3
        holed = table.mask(gaps)
        parts = effects(fit(build_pipeline(TECHNOVA.features), holed, has_left), holed)[1]
        np.testing.assert_allclose(parts.where(~gaps).mean(), 0, atol=1e-12)

    def test_predictions_for_complete_rows_stay(self) -> None:
        table, has_left = learnable()
        pipeline = build_pipeline(TECHNOVA.features).fit(table, has_left)
        before = log_odds(pipeline, table)
        encoded = pipeline["encode"].transform(table)
        np.testing.assert_allclose(log_odds(centre(pipeline, encoded), table), before, atol=1e-9)


class TestBuildPipeline:
    @pytest.mark.parametrize(
        "values",
        [[0] * 55 + [4] * 5, [0] * 5 + [4] * 55, [3] * 50 + [4] * 10, list(range(60))],
        ids=["mostly the least", "mostly the largest", "two levels", "all different"],
    )
    def test_a_known_number_is_never_taken_for_unknown(self, values: list[int]) -> None:
        field = TECHNOVA.by_name["distance_domicile_travail"]
        table = frame([{field.name: value} for value in values], [field])
        encode = build_pipeline([field])["encode"].fit(table)
        asked = frame([{field.name: v} for v in [*values, 1.5, 3.2, 500, None]], [field])
        for block in (slice(-2, None), slice(None, -2)):  # the line's and the curve's
            sums = np.asarray(encode.transform(asked))[:, block].sum(axis=1)
            np.testing.assert_allclose(sums[:-1], 1)
            assert sums[-1] == 0

    @pytest.mark.parametrize("numeric", [True, False])
    def test_fields_of_one_kind_alone(self, numeric: bool) -> None:
        fields: list[Field] = [field for field in TECHNOVA.features if field.numeric == numeric]
        table, has_left = learnable()
        table = table[[field.name for field in fields]]
        assert_adds_up(fit(build_pipeline(fields), table, has_left), table)

    def test_is_plain_scikit_learn(self, fitted: Pipeline, table: pd.DataFrame) -> None:
        loaded = pickle.loads(pickle.dumps(fitted))  # noqa: S301
        np.testing.assert_array_equal(loaded.predict_proba(table), fitted.predict_proba(table))
        assert clone(fitted).get_params()["classify__additive__C"] == 0.6
        named = re.findall(rb"churn[.\w]*", pickle.dumps(fitted))
        assert named == []  # it loads where this package is not


class TestCalibration:
    def test_rises_with_the_log_odds_at_both_ends(self, fitted: Pipeline) -> None:
        found = calibration_of(fitted)
        assert min(found.low, found.high) >= 0

    def test_is_one_slope_where_two_would_not_rise(self) -> None:
        # Who leaves is in the middle of the range here: the two ends pull in different directions.
        table, has_left = learnable(2000)
        noise = np.random.default_rng(3)
        hidden = contributions(fit(build_pipeline(TECHNOVA.features), table, has_left), table)[1].sum(axis=1)
        odd = (hidden > hidden.quantile(0.9)) & (hidden < hidden.quantile(0.97))
        flipped = (odd ^ (noise.random(len(odd)) < 0.02)).to_numpy(dtype=bool)
        pipeline = fit(build_pipeline(TECHNOVA.features), table, flipped)
        found = calibration_of(pipeline)
        assert found.low == found.high > 0
        assert_adds_up(pipeline, table)


@needs_real_data
def test_core_fields_alone_tell_who_leaves() -> None:
    employees = extracts.read(REAL_DATA, TECHNOVA)
    table = employees[[field.name for field in TECHNOVA.features]]
    has_left = (employees[TECHNOVA.target.name] == TECHNOVA.left).to_numpy(dtype=bool)
    splits = RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=0)
    scores = []
    for inside, outside in splits.split(table, has_left):
        pipeline = fit(build_pipeline(TECHNOVA.features), table.iloc[inside], has_left[inside])
        probabilities = pipeline.predict_proba(only_core(table.iloc[outside]))[:, 1]
        scores.append(roc_auc_score(has_left[outside], probabilities))
    assert np.mean(scores) >= 0.795
