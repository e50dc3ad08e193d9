"""Golden rows and the self-test that they decide."""

import copy
import json
from typing import Any

import pytest

from churn.core.errors import ModelError
from churn.dictionary.technova import TECHNOVA
from churn.model import scorecard, self_test
from churn.model.golden_rows import golden_rows
from churn.model.pipeline import build_pipeline, compile_scorecard, fit, frame
from churn.model.sample import make_employees, typical_employees
from churn.model.scorecard import Scorecard

FIELDS = TECHNOVA.features
EMPLOYEES = make_employees(300, seed=2)
PIPELINE = fit(
    build_pipeline(FIELDS),
    frame(EMPLOYEES.to_dict("records"), FIELDS),  # type: ignore[arg-type]
    (EMPLOYEES[TECHNOVA.target.name] == TECHNOVA.left).to_numpy(dtype=bool),
)


@pytest.fixture
def parts() -> dict[str, Any]:
    golden = json.loads(json.dumps(golden_rows(PIPELINE, FIELDS, TECHNOVA, typical_employees())))
    return {
        "fields": [field.name for field in FIELDS],
        "threshold": 0.2,
        "golden": golden,
        "versions": self_test.library_versions(),
    }


def card() -> Scorecard:
    return compile_scorecard(PIPELINE)


def test_a_sound_model_passes_without_a_note(parts: dict[str, Any]) -> None:
    found = self_test.examine(card(), TECHNOVA, **parts)
    assert (found.passed, found.failures, found.notes) == (True, (), ())
    found.require("churn:sound")


def test_the_rows_cover_unknown_fields_and_the_ends_of_every_range(parts: dict[str, Any]) -> None:
    records = [row["record"] for row in parts["golden"]]
    assert len(records) > 20
    for field in FIELDS:
        values = {record[field.name] for record in records}
        if field.categories:
            assert {field.categories[0], field.categories[-1]} <= values
        else:
            assert min(v for v in values if v is not None) == field.minimum
        assert (None in values) == (field.role != "core")


@pytest.mark.parametrize("name", ["heure_supplementaires", "revenu_mensuel"])
def test_a_scorecard_that_was_touched_fails(name: str, parts: dict[str, Any]) -> None:
    plain = card().to_dict()
    effect = plain["effects"][name]
    if "points" in effect:
        effect["points"]["Oui"] += 1e-6
    else:
        effect["pieces"] = [[*piece[:-1], piece[-1] + 1e-6] for piece in effect["pieces"]]
    found = self_test.examine(scorecard.from_dict(plain), TECHNOVA, **parts)
    assert not found.passed
    assert "golden rows are not reproduced to 1e-09" in found.failures[0]
    with pytest.raises(ModelError, match=r"model churn:touched failed its self-test: .* golden rows"):
        found.require("churn:touched")


def test_contributions_count_not_only_the_probability(parts: dict[str, Any]) -> None:
    golden = copy.deepcopy(parts["golden"])
    golden[0]["contributions"]["revenu_mensuel"] += 0.5
    golden[0]["contributions"]["heure_supplementaires"] -= 0.5
    assert not self_test.examine(card(), TECHNOVA, **{**parts, "golden": golden}).passed


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"golden": []}, "it has no golden rows"),
        ({"threshold": 1.2}, "its threshold is no probability"),
        ({"fields": ["revenu_mensuel", "signe_astrologique"]}, "does not know: signe_astrologique"),
        ({"fields": ["revenu_mensuel"]}, "other fields than it says"),
    ],
)
def test_what_else_fails(changed: dict[str, Any], says: str, parts: dict[str, Any]) -> None:
    found = self_test.examine(card(), TECHNOVA, **{**parts, **changed})
    assert any(says in failure for failure in found.failures)


def test_another_library_version_is_a_note_and_no_failure(parts: dict[str, Any]) -> None:
    versions = {**parts["versions"], "scikit-learn": "0.24.0"}
    found = self_test.examine(card(), TECHNOVA, **{**parts, "versions": versions})
    assert found.passed
    assert found.notes == (f"exported with scikit-learn 0.24.0, here is {parts['versions']['scikit-learn']}",)
