"""Trainings at the edge: policies that flag nobody or everybody, groups of one, of none, of all."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import bentoml
import pandas as pd
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from churn import training
from churn.dictionary.technova import TECHNOVA
from churn.i18n import four_fifths
from churn.i18n.formatting import Locale
from churn.ingest import extracts
from churn.model import registry
from churn.model.pipeline import compile_scorecard
from churn.model.registry import Export
from churn.model.sample import write_sample
from churn.training.thresholds import METRIC_POLICIES, Capacity, CostRatio, Policy
from tests.support.plans import QUICK

ROWS = 60
# Quick to learn: the decisions are what this is about.
FIELDS = (TECHNOVA.by_name["heure_supplementaires"], TECHNOVA.by_name["revenu_mensuel"])
NUMBER = st.floats(1e-6, 1e6)
POLICIES: st.SearchStrategy[Policy] = st.one_of(
    st.sampled_from(list(METRIC_POLICIES.values())),
    st.builds(CostRatio, NUMBER, NUMBER),
    st.builds(Capacity, st.integers(1, ROWS), st.just(ROWS)),
)


@pytest.fixture(scope="module")
def employees(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("extracts")
    write_sample(folder, rows=ROWS)
    return extracts.read(folder, TECHNOVA)


def first(count: int, categories: tuple[str, ...]) -> "pd.Categorical[str]":
    """Return a column whose first rows are of the first category, and all others of the second."""
    values = [categories[0]] * count + [categories[1]] * (ROWS - count)
    return pd.Categorical(values, categories=list(categories))


# Each takes seconds, and to shrink one minutes: the edges by name, and a few between them by lot.
@settings(max_examples=3, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@example(policy=CostRatio(1e-6, 1e6), departures=14, women=1, resamples=3)
@example(policy=CostRatio(1e6, 1e-6), departures=ROWS - 14, women=ROWS, resamples=0)
@example(policy=Capacity(1, ROWS), departures=ROWS // 2, women=0, resamples=3)
@given(POLICIES, st.integers(14, ROWS - 14), st.integers(0, ROWS), st.sampled_from([0, 3]))
def test_every_policy_and_group_trains_exports_and_reads(
    employees: pd.DataFrame, policy: Policy, departures: int, women: int, resamples: int
) -> None:
    genre, target = TECHNOVA.by_name["genre"], TECHNOVA.target
    company = employees.assign(
        **{genre.name: first(women, genre.categories), target.name: first(departures, ("Oui", "Non"))}
    )
    plan = QUICK if not resamples else replace(QUICK, resamples=3)
    trained = training.train(company, TECHNOVA, fields=FIELDS, policy=policy, plan=plan)
    assert 0 <= trained.threshold.value <= 1
    read: list[str] = []

    def draw(facts: Mapping[str, Any]) -> Mapping[str, str]:
        voices = (Locale("fr", TECHNOVA), Locale("en", TECHNOVA))
        read.extend(four_fifths.reading(audit, locale) for audit in facts["fairness"] for locale in voices)
        return {}

    card = compile_scorecard(trained.pipeline)
    tag = registry.save(Export(trained.pipeline, card, trained.report.to_dict(), [], "sha256:"), draw)
    try:
        assert registry.load(tag, TECHNOVA).threshold == trained.threshold.value
        assert all(read)
        assert bentoml.models.get(tag).info.metadata["n_departures"] == departures
    finally:
        bentoml.models.delete(tag)
