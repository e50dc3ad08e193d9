"""What nobody caught is logged with where it came from, and without its text."""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from churn.web.tracebacks import log_without_texts

SALARY = "987654 euros"


@pytest.fixture
def discreet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the hooks be as in a server's own process, and put them back."""
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    yield
    logging.setLogRecordFactory(factory)


def fails(*_: object) -> None:
    raise ValueError(f"cannot digest {SALARY}")


def written(caplog: pytest.LogCaptureFixture) -> str:
    [record] = caplog.records
    return logging.Formatter().format(record)


def is_discreet(told: str) -> bool:
    return "in fails" in told and "ValueError" in told and "987654" not in told


def test_by_any_library(discreet: None, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        log_without_texts()
        try:
            fails()
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")

    asyncio.run(run())
    assert is_discreet(written(caplog))


def test_in_the_event_loop(discreet: None, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        log_without_texts()
        asyncio.get_running_loop().call_soon(fails, SALARY)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert is_discreet(written(caplog))


def test_in_a_thread(
    discreet: None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        log_without_texts()
        thread = threading.Thread(target=fails, name="journal")
        thread.start()
        thread.join()

    asyncio.run(run())
    assert is_discreet(written(caplog))
    assert "the thread journal" in written(caplog)
    assert "987654" not in capfd.readouterr().err


def test_where_nobody_could_catch_it(
    discreet: None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    class Ends:
        __del__ = fails

    async def run() -> None:
        log_without_texts()
        Ends()

    asyncio.run(run())
    assert is_discreet(written(caplog))
    assert "987654" not in capfd.readouterr().err
