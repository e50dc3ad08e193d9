"""A line for each request, where it is asked for."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from churn.core.settings import logs_access, server_options
from churn.schemas.caller import Caller
from churn.web.middleware.metrics import Metrics
from churn.web.request_state import STATE, RequestState
from churn.web.server.access_log import tell


@pytest.mark.parametrize(("method", "told"), [("GET", "GET"), ("BREW", "OTHER")])
def test_a_line_tells_nothing_that_was_typed(
    caplog: pytest.LogCaptureFixture, method: str, told: str
) -> None:
    with caplog.at_level(logging.INFO, "churn.access"):
        TestClient(Metrics(Starlette(), tell)).request(method, "/Zoé-471147114711?employee_id=471147114711")
    [line] = caplog.messages
    assert f"method={told} route=(elsewhere) status=404 ms=" in line
    assert line.endswith("caller=-")
    assert "471147114711" not in line


@pytest.mark.parametrize(
    ("caller", "told"),
    [
        (Caller("token", None, "payroll"), "caller=token payroll"),
        (Caller("anonymous", None, "marie"), "caller=-"),  # whose password it was not
    ],
)
def test_only_who_was_let_in_is_named(caplog: pytest.LogCaptureFixture, caller: Caller, told: str) -> None:
    state = RequestState(caller=caller)
    tell({"type": "http", "method": "POST", "state": {STATE: state}}, "/predict", 200, 0.0123)
    assert caplog.messages == [
        f"request={state.request_id} method=POST route=/predict status=200 ms=12.3 {told}"
    ]


@pytest.mark.parametrize(("value", "is_on"), [("", False), ("false", False), ("True", True), ("1", True)])
def test_it_is_off_unless_asked_for_and_bentomls_always(
    monkeypatch: pytest.MonkeyPatch, value: str, is_on: bool
) -> None:
    monkeypatch.setenv("CHURN_ACCESS_LOG", value)
    assert logs_access() is is_on
    assert server_options()["logging"] == {"access": {"enabled": False}}
