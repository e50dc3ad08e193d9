"""`churn train --dictionary`: joined files, and data that nothing can be learned from."""

import os
from pathlib import Path
from typing import Any

import bentoml
import pandas as pd
import pytest

from churn.dictionary.technova import TECHNOVA
from churn.model import registry
from churn.model.registry import ServedModel
from tests.support.crew import CREW, ROWS, employees, in_two_files, write_dictionary, write_two_files
from tests.support.own_company import churn, quickly, stored, train, unchanged

__all__ = ["quickly", "unchanged"]  # fixtures

IBM = Path(os.environ.get("CHURN_REAL_DATA", "")).parent / "public" / "ibm_attrition.csv"


@pytest.mark.usefixtures("unchanged")
class TestSeveralFiles:
    def test_are_joined_by_their_ids(self, model: ServedModel, tmp_path: Path) -> None:
        before = stored()
        write_two_files(tmp_path, employees().sample(frac=1, random_state=1))
        done = train(tmp_path, write_dictionary(tmp_path, in_two_files()))
        assert done.exit_code == 0, done.output
        assert f"{ROWS} employees" in done.output
        [tag] = stored() - before
        assert [e.file for e in registry.load(tag, TECHNOVA).dictionary.extracts] == [
            "crew_list",
            "crew_survey",
        ]
        bentoml.models.delete(tag)

    def test_somebody_who_is_in_one_only_is_named_with_file_and_line(self, tmp_path: Path) -> None:
        write_two_files(tmp_path, employees())
        survey = tmp_path / "crew_survey.csv"
        lines = survey.read_text(encoding="utf-8").splitlines(keepends=True)
        survey.write_text("".join([*lines[:5], *lines[6:]]), encoding="utf-8")
        done = train(tmp_path, write_dictionary(tmp_path, in_two_files()))
        assert done.exit_code == 1
        assert "crew_list.csv:6: person = '5'" in done.output


def changed(crew: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a crew with one thing in it that cannot be learned from, or that should be known."""
    changes: dict[str, dict[str, Any]] = {
        "target": {"gone": "Yes"},
        "unknown": {"team": ""},
        "copies": {"hired2": crew["hired"]},
        "ids": {"badge": crew["badge"].replace(7, 3)},
        "one person": {"sex": ["m", *["w"] * (len(crew) - 1)]},
        "constant": {"nights": "Yes"},
    }
    return crew.assign(**changes[name])


TWICE = CREW + '\n[fields.hired2]\nkind = "date"\nreference = 2026-06-30\ndate_format = "%d/%m/%Y"\n'


@pytest.mark.usefixtures("unchanged")
class TestDegenerateData:
    @pytest.mark.parametrize(
        ("what", "dictionary", "says"),
        [
            ("target", CREW, "every employee has left (gone): expected both"),
            ("unknown", CREW, "team: no value is that of 20 people"),
            (
                "unknown",
                CREW.replace("learned = {", "#").replace(
                    "[fields.team]", '[fields.team]\ncategories = ["a", "b"]'
                ),
                "team: no row has a value: leave it out with --exclude team",
            ),
            ("copies", TWICE, "hired and hired2 are the same in every row"),
            (
                "ids",
                CREW,
                "employee_id: 1 row repeats an id: row 7, which has that of row 3",
            ),
        ],
    )
    def test_is_refused_and_nothing_is_left(
        self, what: str, dictionary: str, says: str, tmp_path: Path
    ) -> None:
        changed(employees(), what).to_csv(tmp_path / "crew.csv", index=False)
        done = train(tmp_path / "crew.csv", write_dictionary(tmp_path, dictionary))
        assert (done.exit_code, says in done.output) == (1, True), done.output
        assert "Traceback" not in done.output

    @pytest.mark.parametrize(
        ("what", "says"),
        [
            ("one person", "note: sex: m is one person"),
            ("constant", "note: nights is the same for everybody: it teaches nothing"),
        ],
    )
    def test_is_told_of(self, what: str, says: str, tmp_path: Path) -> None:
        before = stored()
        changed(employees(), what).to_csv(tmp_path / "crew.csv", index=False)
        done = train(tmp_path / "crew.csv", write_dictionary(tmp_path), "--with-protected")
        assert (done.exit_code, says in done.output) == (0, True), done.output
        for tag in stored() - before:
            bentoml.models.delete(tag)

    def test_a_column_that_the_dictionary_lacks_is_refused_unless_it_is_passed_over(
        self, tmp_path: Path
    ) -> None:
        changed(employees(), "copies").to_csv(tmp_path / "crew.csv", index=False)
        done = train(tmp_path / "crew.csv", write_dictionary(tmp_path))
        assert (done.exit_code, "hired2: no such column" in done.output) == (1, True)
        before = stored()
        done = train(tmp_path / "crew.csv", write_dictionary(tmp_path), "--ignore-column", "hired2")
        assert done.exit_code == 0, done.output
        for tag in stored() - before:
            bentoml.models.delete(tag)

    def test_a_lever_of_categories_that_the_data_lack(self, tmp_path: Path) -> None:
        employees().to_csv(tmp_path / "crew.csv", index=False)
        text = CREW + '\n[levers.team]\norder = ["Deck", "Laundry"]\n'
        done = train(tmp_path / "crew.csv", write_dictionary(tmp_path, text))
        assert (done.exit_code, "levers.team: 'Laundry' is none of the categories" in done.output) == (
            1,
            True,
        )

    def test_a_dictionary_needs_data(self) -> None:
        done = churn("train", "--dictionary", "ibm")
        assert (done.exit_code, "--dictionary needs --data" in done.output) == (2, True)


@pytest.mark.skipif(not IBM.is_file(), reason="needs the public file of 35 columns beside the real extracts")
def test_the_public_file_trains_as_it_is(model: ServedModel) -> None:
    before = stored()
    done = train(IBM, "ibm")
    assert done.exit_code == 0, done.output
    assert "1470 employees, 237 departures, 27 fields; left out: Age, Gender, MaritalStatus" in done.output
    [tag] = stored() - before
    assert registry.load(tag, TECHNOVA).report["metrics"]["roc_auc"]["mean"] > 0.82
    bentoml.models.delete(tag)
