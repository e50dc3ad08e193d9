"""BentoML's options that a start refuses, as they would bypass the gate or the journal."""

from collections.abc import Mapping
from typing import Any

from churn.core.errors import SettingsError

# The options, and why each is refused.
REFUSED: Mapping[str, str] = {
    "http.cors.enabled": "it stands behind the gate, which refuses what browsers ask first: "
    "let a proxy before this service answer for other sites",
    "traffic.max_concurrency": "what it refuses is in no journal: limit the calls of each user and token "
    "by CHURN_USER_RATE and CHURN_TOKEN_RATE",
    "logging.access.enabled": "it writes down addresses as callers typed them: set CHURN_ACCESS_LOG",
    "metrics.enabled": "it keeps a series for each address that callers make up: /metrics has the figures",
}


def check_options(options: Mapping[str, Any]) -> None:
    """Accept the service's `options`, as BentoML's configuration has changed them.

    Raises:
        SettingsError: one of REFUSED is switched on.
    """
    for name, reason in REFUSED.items():
        value: Any = options
        for key in name.split("."):
            value = (value or {}).get(key)
        if value:
            raise SettingsError(f"BentoML's configuration sets {name} to {value}: {reason}; take it out")
