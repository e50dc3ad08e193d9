"""Errors that no request can provoke on purpose, through the envelope around an app that fails."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from churn.core.errors import DatabaseError, TookTooLongError
from churn.web.endpoints.html_page import PageRenderer
from churn.web.middleware.error_responses import ErrorResponses, Refusals
from churn.web.middleware.metrics import Metrics
from tests.support.deadlines import short_deadline


async def fails(_: Request) -> Response:
    salary = "987654 euros"
    raise ValueError(f"cannot digest {salary}")


async def is_away(_: Request) -> Response:
    raise DatabaseError("the database is away")


async def is_mute(_: Request) -> Response:
    return PlainTextResponse("secret-987654", status_code=418)


async def hangs(_: Request) -> Response:
    await asyncio.Event().wait()
    return Response()


async def stalls(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    return StreamingResponse(parts())


async def streams(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"begun", b" ended"):
            await asyncio.sleep(0.01)
            yield part

    return StreamingResponse(parts())


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/fails", fails), Route("/away", is_away), Route("/mute", is_mute)]
    routes += [Route("/hangs", hangs), Route("/stalls", stalls), Route("/streams", streams)]
    return TestClient(Metrics(ErrorResponses(Starlette(routes=routes), Refusals(PageRenderer(tuple)))))


def test_an_unexpected_error_is_500_and_its_text_stays_out_of_answer_and_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/fails")
    assert response.status_code == 500
    assert response.json()["detail"] == "Erreur interne : elle est enregistrée, réessayer plus tard"
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    logged = record.getMessage()
    assert response.json()["request_id"] in logged
    assert "in fails" in logged
    assert "ValueError" in logged
    assert "987654" not in logged + response.text


def test_what_is_away_is_503_with_when_to_come_back(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/away", headers={"Accept-Language": "en"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["detail"].startswith("Service unavailable for the moment")
    assert "the database is away" in caplog.text


def test_an_error_that_somebody_else_answered_gets_our_shape(client: TestClient) -> None:
    response = client.get("/mute")
    assert response.status_code == 418
    assert response.json()["detail"] == "Demande refusée"
    assert "987654" not in response.text


def test_what_takes_too_long_gets_our_shape_whatever_it_is(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_deadline(monkeypatch, "/hangs", 0.05)
    response = client.get("/hangs")
    assert response.status_code == 504
    assert set(response.json()) == {"detail", "request_id"}


def test_an_answer_that_has_begun_is_cut_and_nothing_put_behind_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_deadline(monkeypatch, "/stalls", 0.05)
    with pytest.raises(TookTooLongError):
        client.get("/stalls")


def test_a_stream_has_no_deadline(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    short_deadline(monkeypatch, "/streams", None)
    assert client.get("/streams").text == "begun ended"
