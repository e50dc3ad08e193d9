"""The access log: a line for each request, with nothing in it that a caller typed.

In BentoML's place, whose lines have the path as it came, and so whatever somebody put there.
"""

import logging

from starlette.types import Scope

from churn.web.request_state import state_of

logger = logging.getLogger("churn.access")
logger.setLevel(logging.INFO)  # all others of ours speak from WARNING on

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "OTHER"


def tell(scope: Scope, route: str, status: int, seconds: float) -> None:
    """Write the line of a request that is answered; a caller is named where the credentials were good."""
    state = state_of(scope)
    caller = state.caller
    logger.info(
        "request=%s method=%s route=%s status=%d ms=%.1f caller=%s",
        state.request_id,
        scope["method"] if scope["method"] in METHODS else OTHER,
        route,
        status,
        seconds * 1000,
        "-" if caller.kind == "anonymous" else f"{caller.kind} {caller.name}",
    )
