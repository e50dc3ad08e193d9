"""The history on a Hugging Face Space: people are told where a restart takes it away."""

import logging
from pathlib import Path

import pytest

from churn import preflight
from churn.core import places
from churn.core.settings import load
from churn.dictionary.technova import TECHNOVA
from churn.model.registry import ServedModel
from harness.identities import a_user
from tests.conftest import Served
from tests.support.pages import sign_in, words

WARNING = "this Space has no persistent storage"


def test_the_history_page_says_that_it_goes_where_the_database_is_a_file(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_user(served.engine, "marie")
    del served.client.headers["Authorization"]
    sign_in(served.client, "marie")
    assert "persistent" not in words(served.client.get("/app/history?lang=en"))
    monkeypatch.setenv("SPACE_ID", "marie/churn")
    is_told = "This Space has no persistent storage" in words(served.client.get("/app/history?lang=en"))
    assert is_told == (served.engine.dialect.name == "sqlite")


@pytest.mark.parametrize("volume", ["elsewhere", "."], ids=["no volume", "on a volume"])
def test_a_start_warns_of_it_unless_the_database_is_on_a_volume(
    model: ServedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    volume: str,
) -> None:
    monkeypatch.setenv("SPACE_ID", "marie/churn")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'churn.db'}")
    monkeypatch.setenv("CHURN_MODEL", model.tag)
    monkeypatch.setattr(places, "VOLUME", tmp_path / volume)
    with caplog.at_level(logging.WARNING):
        preflight.prepare(load(), TECHNOVA)
    assert (WARNING in caplog.text) == (volume == "elsewhere")
