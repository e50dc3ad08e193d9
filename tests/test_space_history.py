"""The history on a Hugging Face Space: people are told where a restart takes it away, or it is fetched."""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


@pytest.mark.parametrize("answer", [None, b"<html>"], ids=["no hub", "another server"])
def test_a_start_goes_on_where_the_history_cannot_be_fetched(
    model: ServedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: bytes | None,
) -> None:
    with ExitStack() as stack:
        url = "http://127.0.0.1:1" if answer is None else stack.enter_context(answering(answer))
        for name, value in {
            "HF_ENDPOINT": url,
            "CHURN_HF_DATASET": "marie/journal",
            "CHURN_HF_TOKEN": "hf_of_the_tests",
            "SPACE_ID": "marie/churn",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'churn.db'}",
            "CHURN_MODEL": model.tag,
        }.items():
            monkeypatch.setenv(name, value)
        with caplog.at_level(logging.WARNING):
            preflight.prepare(load(), TECHNOVA)
    assert "the history is not back yet: " in caplog.text
    assert "hf_of_the_tests" not in caplog.text
    assert WARNING not in caplog.text


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Yield the address of a server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
