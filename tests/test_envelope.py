"""Errors that no request can provoke on purpose, through the envelope around an app that fails."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from churn.errors import DatabaseError
from churn.web.envelope import Envelope


async def fails(_: Request) -> Response:
    salary = "987654 euros"
    raise ValueError(f"cannot digest {salary}")


async def is_away(_: Request) -> Response:
    raise DatabaseError("the database is away")


async def is_mute(_: Request) -> Response:
    return PlainTextResponse("secret-987654", status_code=418)


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/fails", fails), Route("/away", is_away), Route("/mute", is_mute)]
    return TestClient(Envelope(Starlette(routes=routes)))


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
