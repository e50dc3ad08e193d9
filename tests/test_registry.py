import bentoml
import pytest

from churn import registry
from churn.errors import ModelError
from churn.pipeline import frame
from churn.registry import ServedModel
from churn.schemas import EXAMPLE


def test_what_was_saved_comes_back(model: ServedModel) -> None:
    again = registry.load(model.tag)
    assert (again.tag, again.threshold, again.fields) == (model.tag, model.threshold, model.fields)
    assert 0 < model.threshold < 1
    low, high = model.seen["revenu_mensuel"]
    assert 0 < low < high
    assert model.metadata["data_fingerprint"].startswith("sha256:")


@pytest.mark.parametrize("tag", ["churn:nothing", "nobody:latest"])
def test_a_model_that_is_not_there_is_named_with_what_makes_one(tag: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{tag}' in the store .*: run `churn train --data DIR`"):
        registry.load(tag)


def test_what_is_no_tag_is_said_to_be_none() -> None:
    with pytest.raises(ModelError, match="is no model tag: expected churn:latest or churn:VERSION"):
        registry.load("a:b:c")


def test_a_model_of_somebody_else_is_refused(model: ServedModel) -> None:
    with bentoml.models.create("elsewhere", metadata=dict(model.metadata)) as made:
        pass
    with pytest.raises(ModelError, match=r"was not exported by this version of churn: run `churn train"):
        registry.load(str(made.tag))
    bentoml.models.delete(made.tag)


def test_the_scikit_learn_pipeline_is_kept_for_those_who_want_it(model: ServedModel) -> None:
    pipeline = bentoml.sklearn.load_model(model.tag)
    table = frame([EXAMPLE], model.fields)
    served = model.scorecard.probability(model.scorecard.contributions(EXAMPLE))
    assert pipeline.predict_proba(table)[0, 1] == pytest.approx(served, abs=1e-9)
