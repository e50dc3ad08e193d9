"""The smoke test of what was deployed: it is ready, and it predicts."""

import time
from collections.abc import Mapping
from typing import Any

import httpx2

from churn.core.errors import DeliveryError

_SECONDS = 60.0  # until the way to a new container is open
_BETWEEN = 1.0


class SmokeTest:
    """Asks a service for its readiness and for one prediction, about an employee who does not exist.

    A private Space is reached with a token of the hub, in a header of its own: the service has Authorization.
    """

    def __init__(self, hub_token: str, api_token: str, example: Mapping[str, Any]) -> None:
        self._headers = {"Authorization": f"Bearer {api_token}", "X-HF-Authorization": f"Bearer {hub_token}"}
        self._example = dict(example)

    def run(self, url: str) -> None:
        """Accept a service that answers as it should.

        Raises:
            DeliveryError: it does not; the message never has the answer's values.
        """
        with httpx2.Client(base_url=url, headers=self._headers, timeout=_SECONDS) as client:
            self._await_ready(client)
            try:
                answer = client.post("/predict", json=self._example)
                document = answer.json()
            except (httpx2.HTTPError, ValueError) as error:
                raise DeliveryError(f"it does not predict: {type(error).__name__}") from None
        if answer.status_code == 401:
            raise DeliveryError("it does not accept API_TOKEN: see in its log why")
        probability = document.get("probability") if isinstance(document, dict) else None
        if answer.status_code != 200 or not isinstance(probability, float) or not 0 <= probability <= 1:
            raise DeliveryError(f"it does not predict: it answers {answer.status_code}")

    def _await_ready(self, client: httpx2.Client) -> None:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                status = str(client.get("/readyz").status_code)
            except httpx2.HTTPError as error:
                status = type(error).__name__
            if status == "200":
                return
            if time.monotonic() > deadline:
                raise DeliveryError(f"it is not ready: /readyz answers {status}")
            time.sleep(_BETWEEN)
