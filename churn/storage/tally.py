"""The tally: a flood of calls by nobody known is counted, not stored row by row."""

import time
from dataclasses import replace

from churn.storage.exchanges import Caller, Exchange
from churn.storage.ids import new_id

SINGLY = 20  # refused calls that are stored one by one, a window
TOO_OFTEN = 429
WINDOW = 60.0  # seconds
SEVERAL = "*"  # the method of calls that are counted together


class Tally:
    """Stores the first refused calls of each minute one by one, and counts the others by route.

    Those whose caller is not known, since anyone can send as many as they like; and what came too often.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._stored = 0
        self._counted: dict[tuple[str, int, str | None], Exchange] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is counted that no summary has told."""
        return not self._counted

    def takes(self, exchange: Exchange) -> bool:
        """Return whether an exchange is counted here, and needs no rows of its own."""
        caller = Caller() if exchange.caller.kind == "anonymous" else exchange.caller
        if caller.kind != "anonymous" and exchange.status != TOO_OFTEN:
            return False
        now = time.monotonic()
        if now >= self._until:
            self._until, self._stored = now + WINDOW, 0
        if self._stored < SINGLY:
            self._stored += 1
            return False
        # Not the method, nor a name that somebody tried: callers make up as many as they like.
        place = exchange.route, exchange.status, caller.name
        known = self._counted.get(place)
        if known is None:
            self._counted[place] = replace(exchange, id=new_id(), method=SEVERAL, caller=caller, body=None)
        else:
            known.times += 1
            known.answered_at = exchange.answered_at
        return True

    def summaries(self) -> list[Exchange]:
        """Return what was counted, one exchange a route with its `times`, and forget it."""
        found = list(self._counted.values())
        self._counted.clear()
        return found
