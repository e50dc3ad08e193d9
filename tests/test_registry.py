import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bentoml
import pytest
from packaging.requirements import Requirement

from churn.core.errors import ModelError
from churn.dictionary.technova import TECHNOVA
from churn.model import listing, registry, self_test
from churn.model.pipeline import frame
from churn.model.registry import ServedModel
from churn.model.scorecard import Calibration
from harness.servers import PROJECT, environment
from tests.support.company import EXAMPLE


def test_what_was_saved_comes_back(model: ServedModel) -> None:
    again = registry.load(model.tag, TECHNOVA)
    assert (again.tag, again.threshold, again.fields) == (model.tag, model.threshold, model.fields)
    assert 0 < model.threshold < 1
    low, high = model.seen["revenu_mensuel"]
    assert 0 < low < high
    assert model.report["data_fingerprint"].startswith("sha256:")
    assert model.report["tag"] == model.tag
    assert model.self_test.passed


@pytest.mark.parametrize("tag", ["churn:nothing", "nobody:latest"])
def test_a_model_that_is_not_there_is_named_with_what_makes_one(tag: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{tag}' in the store .*: run `churn model list`"):
        registry.load(tag, TECHNOVA)


def test_what_is_no_tag_is_said_to_be_none() -> None:
    with pytest.raises(ModelError, match="'a:b:c' is no model tag: expected churn:VERSION or churn:latest"):
        registry.load("a:b:c", TECHNOVA)


def test_a_model_of_somebody_else_is_refused(model: ServedModel) -> None:
    with bentoml.models.create("elsewhere", metadata={"threshold": 0.2}) as made:
        pass
    with pytest.raises(ModelError, match=r"was not exported by this version of churn: run `churn train"):
        registry.load(str(made.tag), TECHNOVA)
    bentoml.models.delete(made.tag)


def test_the_scikit_learn_pipeline_is_kept_for_those_who_want_it(model: ServedModel) -> None:
    pipeline = bentoml.sklearn.load_model(model.tag)
    table = frame([EXAMPLE], model.fields)
    served = model.scorecard.probability(model.scorecard.contributions(EXAMPLE))
    assert pipeline.predict_proba(table)[0, 1] == pytest.approx(served, abs=1e-9)


def test_which_scikit_learn_reads_it_is_said_and_is_the_one_that_is_asked_for(model: ServedModel) -> None:
    # Pickles of 1.9 raise an AttributeError under 1.8 (scikit-learn's own classes changed).
    metadata: Any = registry.find(model.tag).info.metadata
    versions = {name: ".".join(version(name).split(".")[:2]) for name in ("scikit-learn", "scipy")}
    assert metadata["pickle"] == (
        f"saved_model.pkl is read by scikit-learn {versions['scikit-learn']} with scipy {versions['scipy']}; "
        "scorecard.json needs neither"
    )
    with (PROJECT / "pyproject.toml").open("rb") as file:
        extra = tomllib.load(file)["project"]["optional-dependencies"]["train"]
    asked = {requirement.name: requirement.specifier for requirement in map(Requirement, extra)}
    for name, minor in versions.items():
        major, number = map(int, minor.split("."))
        assert asked[name].contains(f"{minor}.0")
        assert not asked[name].contains(f"{major}.{number - 1}.9")
        assert not asked[name].contains(f"{major}.{number + 1}.0")


def test_a_model_that_ranks_the_wrong_way_round_fails_its_self_test(model: ServedModel) -> None:
    card = replace(model.scorecard, calibration=Calibration(-2.0, low=0.4, high=-0.1))
    found = self_test.examine(
        card, TECHNOVA, fields=list(card.effects), threshold=0.2, golden=[], versions={}
    )
    assert "ranks people the wrong way round" in found.failures[0]


def test_the_card_travels_with_the_model(model: ServedModel) -> None:
    folder = Path(registry.find(model.tag).path_of("/"))
    cards = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert set(cards) == {"MODEL_CARD.md", "MODEL_CARD.fr.md"}
    assert all(model.tag in card for card in cards.values())


def test_the_stores_own_metadata_has_the_key_figures(model: ServedModel) -> None:
    metadata: Any = registry.find(model.tag).info.metadata
    assert metadata["metrics"] == model.report["metrics"]
    assert metadata["threshold"] == {"value": model.threshold, "policy": "f2"}
    audited = {audit["field"]: audit for audit in model.report["fairness"]}
    assert set(metadata["fairness"]) == {"genre", "age", "statut_marital", "departement"}
    assert all(verdict == audited[name]["four_fifths"] for name, verdict in metadata["fairness"].items())


def test_a_models_facts_are_read_off_its_own_file_whatever_others_are_like(
    model: ServedModel, tmp_path: Path
) -> None:
    store = Path("models") / registry.NAME
    number = model.tag.partition(":")[2]
    shutil.copytree(registry.home() / store / number, tmp_path / store / number)
    (tmp_path / store / "broken").mkdir()
    (tmp_path / store / "broken" / "model.yaml").write_text("name: [", encoding="utf-8")
    assert listing.facts_of(tmp_path, model.tag) == bentoml.models.get(model.tag).info.metadata
    assert listing.facts_of(tmp_path, f"{registry.NAME}:latest") is None
    assert registry.facts_of() == listing.facts_of(tmp_path, model.tag)


def test_the_promoted_model_serves_and_a_tag_that_was_given_comes_first(model: ServedModel) -> None:
    assert registry.resolve() == registry.resolve("") == model.tag
    assert registry.resolve("churn:other") == "churn:other"


class TestWithoutAPromotion:
    """In a process of its own: BentoML keeps to the store that a process used first."""

    def resolve(self, home: Path) -> str:
        script = (
            "from churn.model import registry\nfrom churn.core.errors import ModelError\n"
            "try: print(registry.resolve())\nexcept ModelError as error: print('refused:', error)"
        )
        command = [sys.executable, "-c", script]
        env = environment(BENTOML_HOME=str(home))
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    def test_the_only_model_serves_and_none_of_several_is_chosen_silently(
        self, model: ServedModel, tmp_path: Path
    ) -> None:
        assert f"refused: no model in the store {tmp_path}: run `churn train" in self.resolve(tmp_path)
        folder = tmp_path / "models" / registry.NAME
        number = model.tag.partition(":")[2]
        shutil.copytree(registry.home() / "models" / registry.NAME / number, folder / number)
        assert self.resolve(tmp_path) == f"{model.tag}\n"
        described = folder / number / "model.yaml"
        text = described.read_text(encoding="utf-8")
        described.write_text(text.replace("    shown: true", "    shown: false"), encoding="utf-8")
        assert f"refused: model {model.tag} is no better than chance" in self.resolve(tmp_path)
        shutil.copytree(folder / number, folder / "another")
        text = (folder / "another" / "model.yaml").read_text(encoding="utf-8")
        (folder / "another" / "model.yaml").write_text(text.replace(number, "another"), encoding="utf-8")
        refused = self.resolve(tmp_path)
        assert f"refused: 2 models in the store {tmp_path} and none promoted" in refused
        assert "churn model promote TAG" in refused


def test_a_model_that_fails_its_self_test_is_loaded_and_says_so(damaged: str) -> None:
    found = registry.load(damaged, TECHNOVA)
    assert not found.self_test.passed
    assert "golden rows" in found.self_test.failures[0]
