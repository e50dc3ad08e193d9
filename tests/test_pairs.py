"""Pairs of fields: found where they are the truth, exact in every reading, and none where there is none."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings

from churn import training
from churn.batch.run import Files, Run
from churn.cli.source import Source
from churn.cli.train import export_model
from churn.dictionary.technova import TECHNOVA
from churn.ingest.flat import FlatTable
from churn.model import registry, scorecard
from churn.model.pipeline import build_pipeline, compile_scorecard, contributions, effects, fit, frame
from churn.model.registry import ServedModel
from churn.model.sample import make_employees
from churn.model.scoring import Scorer
from churn.model.vectorized import ColumnScorecard
from churn.model.what_if import compare
from churn.report.pages import render
from churn.training.candidates import CANDIDATES, PairedCandidate
from churn.training.learner import Learned, Learner
from tests.support.company import EXAMPLE, MODELS
from tests.support.employees import CHANGES, RECORDS
from tests.support.plans import QUICK
from tests.support.tables import read

FIELDS = TECHNOVA.features
NUMBER, CATEGORY = "distance_domicile_travail", "heure_supplementaires"
LEVEL = "niveau_hierarchique_poste"
FEW = CANDIDATES[1:3]  # enough of them for a choice
ROWS = 1200


def company(protected: bool = False) -> pd.DataFrame:
    employees = make_employees(ROWS)
    fields = (*FIELDS, *TECHNOVA.protected) if protected else FIELDS
    return frame(employees.to_dict("records"), fields)  # type: ignore[arg-type]


def holed() -> pd.DataFrame:
    return company().mask(np.random.default_rng(1).random((ROWS, len(FIELDS))) < 0.05)


def drawn(log_odds: Any) -> Any:
    return np.random.default_rng(3).random(ROWS) < 1 / (1 + np.exp(-np.asarray(log_odds, dtype=float)))


def crossed(table: pd.DataFrame, other: str = CATEGORY, category: str = "Oui") -> Any:
    """Return a truth of which neither field says anything alone: only who has one of two things leaves."""
    far = table[NUMBER] > table[NUMBER].median()
    return drawn(np.where(far ^ (table[other] == category), 0.8, -3.2))


@pytest.fixture(scope="module")
def learned() -> Learned:
    return Learner(FIELDS, FEW)(holed(), crossed(company()))


@pytest.fixture(scope="module")
def card(learned: Learned) -> scorecard.Scorecard:
    """Return the scorecard as the store keeps it."""
    return scorecard.from_dict(json.loads(json.dumps(compile_scorecard(learned.pipeline).to_dict())))


@pytest.fixture(scope="module")
def paired(sample: Path) -> Iterator[ServedModel]:
    """Return a model of the store with three pairs: of two numbers, two categories, and one of each."""
    pairs = ((NUMBER, CATEGORY), (NUMBER, LEVEL), ("poste", CATEGORY))
    plan = replace(QUICK, candidates=(PairedCandidate(6, 1, 0.6, pairs, 4),))
    data = Source(sample).read(str)
    tag = export_model(training.train(data.employees, TECHNOVA, plan=plan), FIELDS, data)
    yield registry.load(tag, TECHNOVA)
    registry.delete(tag)


@pytest.fixture(scope="module")
def crossing(paired: ServedModel, card: scorecard.Scorecard) -> ServedModel:
    """Return the model of the pair that is the truth, as if it were served."""
    return replace(paired, scorecard=card)


class TestChoice:
    def test_the_pair_that_is_the_truth_is_found(self, learned: Learned) -> None:
        assert isinstance(learned.candidate, PairedCandidate)
        assert {frozenset(pair) for pair in learned.candidate.pairs} >= {frozenset((NUMBER, CATEGORY))}

    def test_it_tells_leavers_from_stayers_that_no_sum_of_single_fields_does(self, learned: Learned) -> None:
        y, loss = (
            learned.has_left,
            -np.log(np.where(learned.has_left, learned.held_out, 1 - learned.held_out)),
        )
        share = y.mean()
        assert loss.mean() < 0.85 * -(share * np.log(share) + (1 - share) * np.log(1 - share))

    def test_none_is_chosen_where_the_truth_has_none(self) -> None:
        table = company()
        additive = drawn(-2 + 1.5 * (table[CATEGORY] == "Oui") + (table[NUMBER] - 9) / 8)
        alone = Learner(FIELDS, FEW)(table, additive)
        assert not isinstance(alone.candidate, PairedCandidate)
        assert set(compile_scorecard(alone.pipeline).to_dict()) == {"base", "calibration", "effects"}

    def test_a_protected_field_has_none_even_where_it_is_the_truth(self) -> None:
        table = company(protected=True)
        has_left = crossed(table, "genre", "F")
        fields = (*FIELDS, *TECHNOVA.protected)
        chosen = Learner(fields, FEW)(table, has_left).candidate
        protected = {field.name for field in TECHNOVA.protected}
        assert not protected & {name for pair in getattr(chosen, "pairs", ()) for name in pair}


class TestReadings:
    @settings(max_examples=15)
    @given(record=RECORDS)
    def test_agree_on_any_record(
        self, learned: Learned, card: scorecard.Scorecard, record: dict[str, Any]
    ) -> None:
        table = frame([record, {}, EXAMPLE], FIELDS)
        base, parts = contributions(learned.pipeline, table)
        mine = card.contributions({**dict.fromkeys(card.effects), **record})
        assert card.base_value == pytest.approx(base, abs=1e-9)
        assert mine == pytest.approx(dict(parts.iloc[0]), abs=1e-9)
        expected = learned.pipeline.predict_proba(table)[:, 1]
        assert card.probability(mine) == pytest.approx(expected[0], abs=1e-9)
        by_column = ColumnScorecard(card, TECHNOVA).contributions(table)
        np.testing.assert_allclose(by_column.T, parts.to_numpy(), rtol=0, atol=1e-9)
        np.testing.assert_allclose(base + parts.sum(axis=1), np.log(expected / (1 - expected)), atol=1e-9)

    def test_an_unknown_field_contributes_nothing(self, card: scorecard.Scorecard) -> None:
        parts = card.contributions({NUMBER: 20})
        assert {name for name, part in parts.items() if part} == {NUMBER}

    def test_half_of_a_pair_belongs_to_each_of_its_fields(self, card: scorecard.Scorecard) -> None:
        record = {NUMBER: 20, CATEGORY: "Oui"}
        alone = {name: card.effect_of(name, value) for name, value in record.items()}
        both = card.effects_of(record)
        halves = {name: both[name] - effect for name, effect in alone.items()}
        assert halves[NUMBER] == pytest.approx(halves[CATEGORY], abs=1e-12)
        assert halves[NUMBER] != 0

    def test_effects_are_none_on_average(self, learned: Learned) -> None:
        known = holed().notna()
        parts = effects(learned.pipeline, holed())[1]
        np.testing.assert_allclose(parts.where(known).mean(), 0, atol=1e-5)  # a table has six digits

    def test_a_category_of_no_training_row_contributes_nothing(self) -> None:
        table, has_left = company(), crossed(company())
        others = (table["poste"] != "Manager").to_numpy()
        pipeline = build_pipeline(FIELDS, pairs=(("poste", NUMBER),), rounds=5)
        part = contributions(
            fit(pipeline, table[others], has_left[others]), frame([{"poste": "Manager", NUMBER: 2}], FIELDS)
        )[1]["poste"]
        assert part[0] == 0


class TestChanges:
    @example(record={NUMBER: 18, CATEGORY: "Oui"}, changes={NUMBER: 29})
    @given(record=RECORDS, changes=CHANGES)
    def test_add_up(self, card: scorecard.Scorecard, record: dict[str, Any], changes: dict[str, Any]) -> None:
        before = {**dict.fromkeys(card.effects), **record}
        after = {**before, **changes}
        moved = card.changes(before, after)
        logits = [card.base_value + math.fsum(card.contributions(one).values()) for one in (before, after)]
        assert math.fsum(moved.values()) == pytest.approx(logits[1] - logits[0], abs=1e-9)
        assert {name for name, move in moved.items() if move} <= {
            name for name in before if before[name] != after[name]
        }

    def test_what_if_explains_them_and_suggests_what_suffices(self, crossing: ServedModel) -> None:
        before, after = (
            MODELS.employee.model_validate({**EXAMPLE, CATEGORY: "Oui", NUMBER: far}) for far in (25, 1)
        )
        scorer = Scorer(replace(crossing, threshold=0.4))
        now, then = scorer.score([before, after])
        answer = compare(scorer, now, then, "en")
        assert [field.field for field in answer.difference.fields] == [NUMBER]
        assert answer.difference.fields[0].change == pytest.approx(answer.difference.log_odds, abs=1e-9)
        for suggestion in answer.suggestions:
            changed = after.model_copy(update={suggestion.field: suggestion.to})
            [scored] = scorer.score([changed])
            assert scored.probability == pytest.approx(suggestion.probability, abs=1e-12)
        # Alone, overtime says nothing; for somebody who lives near, its end is what suffices.
        assert CATEGORY in {suggestion.field for suggestion in answer.suggestions}


class TestServed:
    def test_a_stored_model_passes_its_self_test_and_has_its_pairs(self, paired: ServedModel) -> None:
        assert paired.self_test.passed
        assert [table.fields for table in paired.scorecard.pairs.tables] == [
            tuple(pair) for pair in paired.report["candidate"]["pairs"]
        ]

    def test_a_table_that_was_changed_fails_the_self_test(self, paired: ServedModel) -> None:
        file = Path(registry.find(paired.tag).path_of(registry.SCORECARD))
        plain = json.loads(written := file.read_text())
        table = plain["pairs"]["tables"][0]
        table["effects"] = [[effect + 0.01 for effect in row] for row in table["effects"]]
        try:
            file.write_text(json.dumps(plain))
            [failure] = registry.load(paired.tag, TECHNOVA).self_test.failures
        finally:
            file.write_text(written)
        assert "golden rows are not reproduced" in failure

    def test_a_file_gets_the_reasons_of_the_api(self, crossing: ServedModel, tmp_path: Path) -> None:
        records = make_employees(400)[[field.name for field in FIELDS]]
        source = tmp_path / "in.csv"
        records.to_csv(source, index=False)
        files = Files(tmp_path / "out.csv", tmp_path / "rejects.csv", False)
        Run(crossing, "en").score(FlatTable(source, TECHNOVA), files, lambda rows, share: None)
        scorer = Scorer(crossing)
        signs: dict[str, set[bool]] = {}
        for row, record in zip(read(tmp_path / "out.csv"), records.to_dict("records"), strict=True):
            employee = MODELS.employee.model_validate(record)
            answer = scorer.answer(scorer.score([employee])[0], "en")
            texts = [reason.text for reason in answer.reasons[:3]]
            assert [row[f"reason_{rank}"] for rank in (1, 2, 3)] == texts
            for reason in answer.reasons:
                if reason.field == CATEGORY and reason.value == "Non":
                    signs.setdefault(CATEGORY, set()).add(reason.contribution > 0)
        assert signs[CATEGORY] == {True, False}  # or the file would not have been put to the test

    def test_the_report_draws_and_names_each_pair(self, paired: ServedModel) -> None:
        pages = render({**paired.report, "scorecard": paired.scorecard.to_dict()}, TECHNOVA)
        english, french = pages["report.en.html"], pages["report.fr.html"]
        assert english.count('<svg id="chart-pair-') == 3
        assert "with the pairs Distance from home to work × Overtime" in english
        assert "only the pairs of fields that the report shows combine" in english
        assert "Ce que deux champs font ensemble" in french
