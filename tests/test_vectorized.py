"""The scorecard on columns, held to the scorecard on records and to the pipeline."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from churn.dictionary.field import LARGEST, Field
from churn.dictionary.technova import TECHNOVA
from churn.model import vectorized
from churn.model.pipeline import contributions
from churn.model.scorecard import Curve, Scorecard, Table
from churn.model.vectorized import ColumnScorecard
from tests.support.real_data import needs_real_data
from tests.test_scorecard import PIPELINE, SCORECARD, TABLE

COLUMNS = ColumnScorecard(SCORECARD, TECHNOVA)
EXAMPLES, ROWS = 25, 1000  # every edge of every field, known and unknown, comes a thousand times


def random_cells(field: Field, rows: int, random: np.random.Generator) -> NDArray[Any]:
    """Return valid values: within what was seen, at the edges, fractions, beyond, huge, and unknown ones."""
    if not field.numeric:
        return random.choice(np.array([*field.categories, None], dtype=object), rows)
    low, high = field.minimum or 0.0, LARGEST if field.maximum is None else field.maximum
    seen = TABLE[field.name].to_numpy(dtype=float)
    kinds = np.stack([
        random.choice(seen, rows),
        random.choice([low, high, np.nanmin(seen), np.nanmax(seen), np.nan], rows),
        random.integers(int(low), int(min(high, 200)) + 1, rows).astype(float),
        low + (min(high, 30_000) - low) * random.random(rows),
        low + (high - low) * random.random(rows) ** 8,
    ])  # fmt: skip
    found: NDArray[np.float64] = kinds[random.integers(0, len(kinds), rows), np.arange(rows)]
    return np.floor(found) if field.kind == "integer" and random.random() < 0.5 else found


def random_table(seed: int, rows: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    cells = {field.name: random_cells(field, rows, random) for field in TECHNOVA.features}
    dtypes = {
        f.name: float if f.numeric else pd.CategoricalDtype(list(f.categories)) for f in TECHNOVA.features
    }
    return pd.DataFrame(cells).astype(dtypes)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    known = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]


def assert_one_reading(table: pd.DataFrame) -> None:
    """Hold columns, records and pipeline together to 1e-9, in every contribution and probability."""
    expected = PIPELINE.predict_proba(table)[:, 1]
    parts = contributions(PIPELINE, table)[1][list(COLUMNS.names)].to_numpy().T
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for given_table in (table, arrow):
        np.testing.assert_allclose(COLUMNS.contributions(given_table), parts, atol=1e-9, rtol=0)
        np.testing.assert_allclose(COLUMNS.probabilities(given_table), expected, atol=1e-9, rtol=0)
    for record, column, probability in zip(records(table), parts.T, expected, strict=True):
        mine = SCORECARD.contributions(record)
        assert [abs(mine[n] - e) < 1e-9 for n, e in zip(COLUMNS.names, column, strict=True)].count(False) == 0
        assert abs(SCORECARD.probability(mine) - probability) < 1e-9


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**32 - 1))
def test_columns_records_and_pipeline_are_one_model_on_thousands_of_random_records(seed: int) -> None:
    assert_one_reading(random_table(seed, ROWS))


@needs_real_data
def test_and_on_every_real_row() -> None:
    assert len(TABLE) == 1470
    assert_one_reading(TABLE)


def test_many_slices_in_order_with_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = random_table(1, 1000)
    expected, parts = COLUMNS.probabilities(whole), COLUMNS.contributions(whole)
    monkeypatch.setattr(vectorized, "SLICE_ROWS", 64)
    for table in (whole, pa.Table.from_pandas(whole, preserve_index=False)):
        np.testing.assert_array_equal(COLUMNS.probabilities(table), expected)
        np.testing.assert_array_equal(COLUMNS.contributions(table), parts)


class TestTables:
    """The same rows, however a table holds them."""

    WHOLE = random_table(2, 500)
    EXPECTED = COLUMNS.probabilities(WHOLE)

    def assert_same(self, table: Any) -> None:
        np.testing.assert_allclose(COLUMNS.probabilities(table), self.EXPECTED, atol=1e-12, rtol=0)

    def test_text_and_other_categories_in_another_order(self) -> None:
        self.assert_same(self.WHOLE.astype({f.name: object for f in TECHNOVA.features if not f.numeric}))
        turned = {f.name: ["?", *reversed(f.categories)] for f in TECHNOVA.features if not f.numeric}
        self.assert_same(
            self.WHOLE.assign(**{n: self.WHOLE[n].cat.set_categories(c) for n, c in turned.items()})
        )

    def test_nullable_and_small_numbers(self) -> None:
        table = self.WHOLE.assign(niveau_education=[3] * 500, nb_formations_suivies=2.0)
        expected = COLUMNS.probabilities(table)
        small = table.assign(
            niveau_education=np.full(500, 3, dtype=np.int8),
            nb_formations_suivies=pd.array([2] * 500, dtype="Int64"),
        )
        np.testing.assert_array_equal(COLUMNS.probabilities(small), expected)

    def test_arrow_text_chunks_and_nulls(self) -> None:
        names = [f.name for f in TECHNOVA.features if not f.numeric]
        arrow = pa.Table.from_pandas(
            self.WHOLE.astype(dict.fromkeys(names, object)), preserve_index=False, nthreads=1
        )
        self.assert_same(arrow)
        self.assert_same(pa.concat_tables([arrow.slice(0, 7), arrow.slice(7)]))

    def test_arrow_dictionaries_that_differ_by_chunk(self) -> None:
        arrow = pa.Table.from_pandas(self.WHOLE, preserve_index=False)
        jobs = self.WHOLE["poste"].cat
        turned = jobs.set_categories(list(reversed(jobs.categories)))
        other = pa.Table.from_pandas(self.WHOLE.assign(poste=turned), preserve_index=False)
        self.assert_same(pa.concat_tables([arrow.slice(0, 100), other.slice(100)]))

    def test_absent_and_null_columns_are_unknown_and_others_are_not_read(self) -> None:
        unknown = self.WHOLE.assign(poste=pd.Categorical([None] * 500), niveau_education=np.nan)
        expected = COLUMNS.probabilities(unknown)
        table = self.WHOLE.drop(columns=["poste", "niveau_education"]).assign(employee_id="E1")
        np.testing.assert_array_equal(COLUMNS.probabilities(table), expected)
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        for name in ("poste", "niveau_education"):
            arrow = arrow.append_column(name, pa.nulls(500))
        np.testing.assert_array_equal(COLUMNS.probabilities(arrow), expected)

    def test_no_rows(self) -> None:
        assert COLUMNS.probabilities(self.WHOLE.head(0)).shape == (0,)
        assert COLUMNS.contributions(pa.Table.from_pandas(self.WHOLE.head(0))).shape == (
            len(TECHNOVA.features),
            0,
        )


class TestCurves:
    def probabilities(self, curve: Curve, numbers: list[float]) -> list[float]:
        card = Scorecard(0.0, {"revenu_mensuel": curve})
        parts = ColumnScorecard(card, TECHNOVA).contributions(pd.DataFrame({"revenu_mensuel": numbers}))
        return [float(part) for part in parts[0]]

    def test_at_between_and_beyond_the_breaks(self) -> None:
        curve = Curve((0.5, 1.5, 2.5), ((1.0, 0.0, 0.0), (0.0, 2.0, 1.0)))
        numbers = [-5.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 1e12, float("inf")]
        expected = [curve.of(x) for x in numbers]
        assert self.probabilities(curve, numbers) == expected
        assert self.probabilities(curve, [1.0, 2.0, 99.0]) == [curve.of(x) for x in (1, 2, 99)]

    def test_too_wide_for_a_table(self) -> None:
        curve = Curve((0.0, 1e9), ((2e-9, 0.0),))
        assert self.probabilities(curve, [0, 5e8, 2e9, float("nan")]) == [0, 1, 2, 0]

    def test_of_a_field_that_taught_nothing(self) -> None:
        assert self.probabilities(Curve((0.0,), ((0.0,),)), [0, 3, 4.5]) == [0, 0, 0]


def test_extreme_log_odds_stay_probabilities() -> None:
    card = Scorecard(0.0, {"genre": Table({"F": 2000.0, "M": -2000.0})})
    assert ColumnScorecard(card, TECHNOVA).probabilities(
        pd.DataFrame({"genre": ["F", "M", None]})
    ).tolist() == [
        1,
        0,
        0.5,
    ]
