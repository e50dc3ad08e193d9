"""The scorecard against the pipeline it was compiled from."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model import scorecard
from churn.model.pipeline import build_pipeline, compile_scorecard, contributions, fit, frame
from churn.model.sample import make_employees
from churn.model.scorecard import Curve, Scorecard, Table
from tests.support.real_data import IS_EXPECTED, REAL_DATA

EMPLOYEES = extracts.read(REAL_DATA, TECHNOVA) if IS_EXPECTED else make_employees(1500)
TABLE = EMPLOYEES[[field.name for field in TECHNOVA.features]]
PIPELINE = fit(
    build_pipeline(TECHNOVA.features),
    TABLE,
    (EMPLOYEES["a_quitte_l_entreprise"] == "Oui").to_numpy(dtype=bool),
)
# Through JSON, as the store keeps it.
SCORECARD = scorecard.from_dict(json.loads(json.dumps(compile_scorecard(PIPELINE).to_dict())))


def assert_equal(records: list[dict[str, Any]], table: pd.DataFrame) -> None:
    """Hold the scorecard to the pipeline: every contribution and the probability, to 1e-9."""
    base, parts = contributions(PIPELINE, table)
    mine = [SCORECARD.contributions(record) for record in records]
    assert pytest.approx(base, abs=1e-9) == SCORECARD.base_value
    np.testing.assert_allclose(
        pd.DataFrame(mine)[list(parts)].to_numpy(), parts.to_numpy(), atol=1e-9, rtol=0
    )
    expected = PIPELINE.predict_proba(table)[:, 1]
    np.testing.assert_allclose([SCORECARD.probability(part) for part in mine], expected, atol=1e-9, rtol=0)


def test_equals_the_pipeline_on_every_training_row() -> None:
    records = [{str(name): value for name, value in row.items()} for row in TABLE.to_dict("records")]
    assert_equal(records, TABLE)


def values_of(field: Field) -> st.SearchStrategy[Any]:
    if field.categories:
        return st.sampled_from([None, *field.categories])
    edges = st.sampled_from([field.minimum, field.maximum or 1e12, 1, 2.5, 40])
    return st.none() | edges | st.floats(field.minimum, field.maximum or 1e6)


RECORD = st.fixed_dictionaries({field.name: values_of(field) for field in TECHNOVA.features})


@settings(max_examples=40)  # of many records each; test_vectorized has thousands
@given(st.lists(RECORD, min_size=1, max_size=20))
def test_equals_the_pipeline_on_any_valid_record(records: list[dict[str, Any]]) -> None:
    assert_equal(records, frame(records, TECHNOVA.features))


def test_a_number_that_never_varied_or_was_never_known_contributes_nothing() -> None:
    table = TABLE.assign(niveau_education=3.0, nb_formations_suivies=np.nan)
    has_left = (EMPLOYEES["a_quitte_l_entreprise"] == "Oui").to_numpy(dtype=bool)
    compiled = compile_scorecard(fit(build_pipeline(TECHNOVA.features), table, has_left))
    parts = compiled.contributions({"niveau_education": 3, "nb_formations_suivies": 2})
    assert set(parts.values()) == {0.0}


def test_a_curve_is_constant_outside_its_breaks() -> None:
    curve = Curve((0.0, 1.0, 2.0), ((1.0, 0.0, 0.0), (0.0, 2.0, 1.0)))  # x², then 1 + 2 (x - 1)
    assert [curve.of(x) for x in (-5, 0, 0.5, 1, 1.5, 2, 99)] == [0, 0, 0.25, 1, 2, 3, 3]


def test_what_is_unknown_contributes_nothing_and_the_probability_is_the_logistic_function() -> None:
    card = Scorecard(-1.0, {"poste": Table({"Manager": 2.0}), "age": Curve((0.0, 1.0), ((3.0, 0.0),))})
    assert card.contributions({"poste": None}) == {"poste": 0.0, "age": 0.0}
    assert card.contributions({"poste": "Astronaute", "age": 1}) == {"poste": 0.0, "age": 3.0}
    assert card.probability({"poste": 2.0, "age": 3.0}) == pytest.approx(1 / (1 + math.exp(-4)))
    assert card.probability({"poste": -2000.0}) == 0.0
    assert card.probability({"poste": 2000.0}) == 1.0
