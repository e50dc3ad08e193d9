"""`churn setup --data --dictionary`: another company's model, made where there is none yet."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bentoml
import pytest
from click.testing import CliRunner, Result

from churn import training
from churn.cli.main import main
from churn.model import promotions, registry
from churn.model.registry import ServedModel
from harness.servers import PROJECT, environment
from tests.support.crew import CREW, employees, write_dictionary
from tests.support.plans import train_quickly

# The command with `train_quickly`.
QUICKLY = (
    "from churn import training; from churn.cli.main import main; from tests.support import plans; "
    "training.train = plans.train_quickly; main()"
)


def setup(data: Path, dictionary: Path) -> Result:
    arguments = ("setup", "--data", str(data), "--dictionary", str(dictionary))
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def stored() -> set[str]:
    return {str(entry.tag) for entry in registry.models()}


@pytest.fixture
def crew(tmp_path: Path) -> tuple[Path, Path]:
    """Return the crew's table and its dictionary."""
    employees().to_csv(tmp_path / "crew.csv", index=False)
    return tmp_path / "crew.csv", write_dictionary(tmp_path)


@pytest.fixture
def new_models(
    model: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], set[str]]]:
    """Return the tags that the test has added, beside a promoted model; they are deleted afterwards."""
    monkeypatch.setattr(training, "train", train_quickly)
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/churn.db", "API_TOKEN": "mK4pVt7yQ2xNc9Rb"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    before, promoted = stored(), promotions.history(registry.home())
    yield lambda: stored() - before
    for tag in stored() - before:
        bentoml.models.delete(tag)
    while promotions.history(registry.home()) != promoted:
        promotions.rollback(registry.home())


class TestBesideAnotherCompany:
    def test_it_is_trained_once_and_serves_once_its_api_is_accepted(
        self, new_models: Callable[[], set[str]], model: ServedModel, crew: tuple[Path, Path]
    ) -> None:
        refused = setup(*crew)
        [tag] = new_models()
        accept = f"churn model promote {tag} --accept-changed-api"
        assert (refused.exit_code, accept in refused.output) == (1, True)
        again = setup(*crew)
        assert (again.exit_code, again.output) == (1, refused.output.splitlines(keepends=True)[-1])
        assert new_models() == {tag}
        assert promotions.promoted(registry.home()) == model.tag
        CliRunner().invoke(main, accept.split()[1:], catch_exceptions=False)
        assert (setup(*crew).output, new_models()) == ("", {tag})

    def test_other_data_or_another_dictionary_of_it_is_another_model(
        self, new_models: Callable[[], set[str]], crew: tuple[Path, Path], tmp_path: Path
    ) -> None:
        data, dictionary = crew
        setup(data, dictionary)
        [first] = new_models()
        promotions.promote(registry.home(), first)
        employees(250).to_csv(data, index=False)
        assert "promoted: it serves" in setup(data, dictionary).output
        employees().to_csv(data, index=False)
        assert setup(data, dictionary).output == f"{first} has learned from these data already, and serves\n"
        assert len(new_models()) == 2
        dictionary.write_text(CREW.replace('unit = "CHF"', 'unit = "EUR"'), encoding="utf-8")
        assert "changes the API (pay)" in setup(data, dictionary).output
        assert len(new_models()) == 3


def test_after_the_sample_nobody_has_to_accept_it(tmp_path: Path, crew: tuple[Path, Path]) -> None:
    """In processes of their own: BentoML keeps to the store that a process used first."""
    home = tmp_path / "home"
    env = environment(BENTOML_HOME=str(home), PYTHONPATH=str(PROJECT))

    def run(*arguments: str | Path) -> str:
        command = [sys.executable, "-c", QUICKLY, "setup", *map(str, arguments)]
        return subprocess.run(
            command, env=env, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    assert "promoted: it serves" in run()
    data, dictionary = crew
    assert "promoted: it serves" in run("--data", data, "--dictionary", dictionary)
    assert len(promotions.history(home)) == 2
