"""GET /history, through the served app, on both databases."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from churn.access.tokens import issue_token
from churn.domain import risk_band
from churn.schemas import EXAMPLE
from churn.storage.tables import api_responses, prediction_results, requests
from tests.conftest import Served
from tests.exchanges import exchange, scored
from tests.predictions import FULL, erase

Item = dict[str, Any]


def ask(served: Served, **parameters: object) -> dict[str, Any]:
    response = served.client.get("/history", params={name: str(value) for name, value in parameters.items()})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def items(served: Served, **parameters: object) -> list[Item]:
    found: list[Item] = ask(served, **parameters)["predictions"]
    return found


def predict(served: Served, *employees: object, **headers: str) -> list[str]:
    """Predict for some employees, one call each, and return the ids of the predictions."""
    answers = [
        served.client.post("/predict", json={**EXAMPLE, "employee_id": one}, headers=headers).json()
        for one in employees
    ]
    return [answer["prediction_id"] for answer in answers]
