import bentoml
import pytest

from churn import registry
from churn.errors import ModelError
from churn.registry import ServedModel


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


def test_a_pickle_of_another_library_version_is_not_even_opened(model: ServedModel) -> None:
    with bentoml.models.create(
        "elsewhere",
        metadata={**model.metadata, "library_versions": {"scikit-learn": "0.9.1", "scipy": "1.17.1"}},
    ) as made:
        pass
    with pytest.raises(ModelError, match=r"was trained with scikit-learn 0\.9\.1, here is .*: train again"):
        registry.load(str(made.tag))
    bentoml.models.delete(made.tag)
