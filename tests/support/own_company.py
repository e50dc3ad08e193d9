"""Quick trainings by command of a company that is not TechnoVa."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from churn import training
from churn.cli.main import main
from churn.model import registry
from churn.model.registry import ServedModel
from tests.support.plans import train_quickly

QUICKLY = ("--folds", "2", "--repeats", "1", "--resamples", "0")


def churn(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def stored() -> set[str]:
    return {str(entry.tag) for entry in registry.models()}


def train(data: Path, dictionary: Path | str, *options: str) -> Result:
    return churn("train", "--data", str(data), "--dictionary", str(dictionary), *QUICKLY, *options)


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    """Have commands train with less to choose from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", train_quickly)
        yield


@pytest.fixture
def unchanged(model: ServedModel) -> Iterator[None]:
    """Hold the test to a store in which nothing is left."""
    before = stored()
    yield
    assert stored() == before
