"""The reference that a model keeps of what it learned from."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churn.core.errors import ModelError
from churn.dictionary import dictionary_file
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model import reference, registry
from churn.model.portable import send
from churn.model.reference import FieldReference, Moments
from churn.model.registry import ServedModel
from churn.model.stored_reference import load_reference
from churn.training.reference_figures import BINS, field_reference


@pytest.fixture(scope="module")
def kept(model: ServedModel) -> reference.Reference:
    found = load_reference(model.tag)
    assert found is not None
    return found


def test_it_counts_every_training_row_once_a_field(kept: reference.Reference, model: ServedModel) -> None:
    assert kept.rows == model.report["n_rows"]
    assert [field.name for field in kept.fields] == [field.name for field in model.fields]
    for field in kept.fields:
        assert sum(field.counts) == kept.rows, field.name
        assert len(field.counts) == (len(field.categories) or len(field.cuts) + 1) + 1
    assert sum(kept.scores) == kept.rows
    assert kept.horizon_days is None


def test_its_means_are_those_of_the_scorecard_on_the_training_rows(
    kept: reference.Reference, model: ServedModel, sample: Path
) -> None:
    table = extracts.read(sample, TECHNOVA)
    names = [field.name for field in model.fields]
    records = [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table[names].to_dict("records")
    ]
    parts = [model.scorecard.contributions(record) for record in records]
    for field in kept.fields:
        own = [part[field.name] for part in parts]
        assert field.contribution.mean == pytest.approx(math.fsum(own) / len(own), abs=1e-9)
        assert field.contribution.variance == pytest.approx(np.var(own, ddof=1), abs=1e-9)
        places = [field.place(record[field.name]) for record in records]
        assert np.bincount(places, minlength=len(field.counts)).tolist() == list(field.counts)
        assert not any(field.is_beyond(record[field.name]) for record in records)
    total = math.fsum(field.contribution.mean for field in kept.fields) + kept.base_value
    assert abs(total - kept.log_odds.mean) < 1e-9
    probabilities = [model.scorecard.probability(part) for part in parts]
    flagged = sum(probability >= model.threshold for probability in probabilities)
    assert kept.flagged == flagged
    heights, _ = np.histogram(probabilities, 20, (0, 1))
    assert heights.tolist() == list(kept.scores)


def test_it_travels_with_the_model(model: ServedModel, tmp_path: Path) -> None:
    sent = send(model.tag, tmp_path)
    stored = registry.locate(model.tag)[1]
    assert (sent / registry.REFERENCE).read_bytes() == (stored / registry.REFERENCE).read_bytes()


def test_one_of_a_later_format_is_refused(
    model: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = send(model.tag, tmp_path / "models")
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    plain = json.loads((folder / registry.REFERENCE).read_text(encoding="utf-8"))
    (folder / registry.REFERENCE).write_text(json.dumps({**plain, "format": 2}), encoding="utf-8")
    with pytest.raises(ModelError, match="later version of churn"):
        load_reference(model.tag)


class TestFields:
    def test_a_number_has_quantile_bins_and_one_for_the_unknown(self) -> None:
        field = next(field for field in TECHNOVA.features if field.numeric)
        numbers = pd.Series([*np.arange(1200.0), *[np.nan] * 30])
        found = field_reference(field, numbers, np.zeros(len(numbers)))
        assert found.counts == (*[100] * BINS, 30)
        assert (found.least, found.largest) == (0, 1199)
        assert found.place(None) == BINS
        assert [found.place(value) for value in (-5, 0, 99, 100, 5000)] == [0, 0, 0, 1, BINS - 1]
        assert [found.is_beyond(value) for value in (-5, 0, 1199, 1200, None)] == [
            True,
            False,
            False,
            True,
            False,
        ]

    def test_a_number_that_never_varies_has_one_bin(self) -> None:
        field = next(field for field in TECHNOVA.features if field.numeric)
        found = field_reference(field, pd.Series([7.0] * 50), np.zeros(50))
        assert (found.counts, found.cuts) == ((50, 0), ())

    def test_a_number_that_nobody_has_is_unknown(self) -> None:
        field = next(field for field in TECHNOVA.features if field.numeric)
        found = field_reference(field, pd.Series([np.nan] * 50), np.zeros(50))
        assert (found.counts, found.least) == ((0, 50), None)
        assert found.place(3) == 0
        assert not found.is_beyond(3)

    def test_a_category_has_its_categories_and_what_is_none_is_unknown(self) -> None:
        field = next(field for field in TECHNOVA.features if not field.numeric)
        column = pd.Series([field.categories[1], field.categories[1], None, field.categories[0]])
        found = field_reference(field, column, np.zeros(4))
        assert found.counts[:2] == (1, 2)
        assert found.counts[-1] == 1
        assert found.place("nothing of it") == len(found.counts) - 1

    def test_each_dictionary_has_fields_that_can_be_counted(self) -> None:
        for name in ("technova", "ibm"):
            for field in dictionary_file.find(name).features:
                found = field_reference(field, pd.Series([None] * 3, dtype=object), np.zeros(3))
                assert sum(found.counts) == 3, field.name


def test_it_reads_back_what_it_wrote() -> None:
    fields = (
        FieldReference("a", (1, 2, 0), Moments(0.1, 0.2), cuts=(3.0,), least=1.0, largest=5.0),
        FieldReference("b", (2, 1, 0), Moments(-0.1, 0.3), categories=("x", "y")),
    )
    whole = reference.Reference(3, -1.0, Moments(-1.0, 2.0), (3, *[0] * 19), 1, fields, 365)
    assert reference.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
