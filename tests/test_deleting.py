"""`churn model delete`: only what nothing needs."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bentoml
import pytest
from click.testing import CliRunner, Result

from churn.cli.main import main
from churn.model import promotions, registry
from churn.model.registry import ServedModel
from harness.servers import environment, home_beside


def delete(tag: str) -> Result:
    return CliRunner().invoke(main, ["model", "delete", tag], catch_exceptions=False)


def is_there(tag: str) -> bool:
    return tag in {str(model.tag) for model in registry.models()}


@pytest.fixture
def other(model: ServedModel) -> Iterator[str]:
    """Return the tag of one more model."""
    with bentoml.models.create(registry.NAME, module="bentoml.sklearn", metadata={}) as entry:
        pass
    yield str(entry.tag)
    if is_there(str(entry.tag)):
        bentoml.models.delete(entry.tag)


def test_what_nothing_needs_is_deleted(other: str) -> None:
    assert delete(other).output == f"{other} is deleted\n"
    assert not is_there(other)
    result = delete(other)
    assert (result.exit_code, result.output[:20]) == (1, f"churn: no model '{other}"[:20])


def test_what_serves_is_kept(model: ServedModel, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not deleted: it serves" in delete(model.tag).output
    monkeypatch.setenv("CHURN_MODEL", other)
    assert "not deleted: it serves" in delete(other).output
    assert is_there(model.tag)
    assert is_there(other)


def test_the_only_one_is_kept_although_nobody_promoted_it(model: ServedModel, tmp_path: Path) -> None:
    home = home_beside(registry.home(), tmp_path)
    for folder in (home / "models" / registry.NAME).iterdir():
        if folder.is_dir() and folder.name != model.tag.partition(":")[2]:
            shutil.rmtree(folder)
    command = [sys.executable, "-m", "churn.cli.main", "model", "delete", model.tag]
    done = subprocess.run(command, env=environment(BENTOML_HOME=str(home)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"churn: {model.tag} is not deleted: it serves\n")


def test_what_a_rollback_may_go_back_to_is_kept(model: ServedModel, other: str) -> None:
    promotions.promote(registry.home(), other)
    promotions.promote(registry.home(), model.tag)
    try:
        assert "or `churn model rollback` may go back to it" in delete(other).output
        assert is_there(other)
    finally:
        for _ in range(2):
            promotions.rollback(registry.home())


def test_what_a_bento_needs_is_kept(other: str) -> None:
    bento = registry.home() / "bentos" / "churn" / "1"
    bento.mkdir(parents=True)
    try:
        text = f"name: churn\nversion: '1'\nmodels:\n- tag: {other}\n"
        (bento / "bento.yaml").write_text(text, encoding="utf-8")
        assert "the Bento churn:1 needs it; delete that first: bentoml delete churn:1" in delete(other).output
        assert is_there(other)
        (bento / "bento.yaml").write_text("- [", encoding="utf-8")
        assert "bento.yaml is damaged: remove its folder" in delete(other).output
    finally:
        shutil.rmtree(Path(bento))
