"""An empty setting is one that is not set: in the environment, for `make`, and for the store's folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from churn.core import places, settings
from churn.core.errors import SettingsError
from harness.servers import PROJECT, environment

NAMES = ("BENTOML_HOME", "PYTHON", "UV_PYTHON_DOWNLOADS", "BENTOML_DO_NOT_TRACK")
SHOW = 'show:\n\t@echo "$$BENTOML_HOME $(PYTHON) $$UV_PYTHON_DOWNLOADS $$BENTOML_DO_NOT_TRACK"\n'


def test_an_empty_home_does_not_fill_the_folder_that_somebody_stands_in(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "churn.cli.main", "model", "list"]
    env = environment(BENTOML_HOME="", PYTHONPATH=str(PROJECT))
    listed = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_empty_home_is_refused_where_bentoml_has_read_it_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENTOML_HOME", "")
    with pytest.raises(SettingsError, match=r"BENTOML_HOME is empty.*unset it, or name the folder"):
        settings.load()


def test_an_empty_name_of_the_file_of_settings_means_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=4000\n", encoding="utf-8")
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    monkeypatch.setenv("CHURN_ENV_FILE", "")
    assert settings.load().port == 4000


def shown_by_make(folder: Path, *words: str, **settings: str) -> str:
    """Return the settings that `make` hands on; not those of a `make` that runs the tests."""
    (folder / "show.mk").write_text(SHOW, encoding="utf-8")
    outer = ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", *NAMES)
    env = {name: value for name, value in environment().items() if name not in outer} | settings
    command = ["make", "-f", "Makefile", "-f", str(folder / "show.mk"), "show", *words]
    return subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("by", ["environment", "command line"])
def test_make_takes_empty_for_unset(by: str, tmp_path: Path) -> None:
    if by == "environment":
        shown = shown_by_make(tmp_path, **dict.fromkeys(NAMES, ""))
    else:
        shown = shown_by_make(tmp_path, *(f"{name}=" for name in NAMES))
    assert shown == f"{PROJECT}/.bentoml python3 never True\n"


def test_make_takes_what_is_set(tmp_path: Path) -> None:
    shown = shown_by_make(tmp_path, "PYTHON=python9", BENTOML_HOME="/elsewhere", UV_PYTHON_DOWNLOADS="manual")
    assert shown == "/elsewhere python9 manual True\n"
