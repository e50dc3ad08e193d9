"""The tally: a flood of calls by nobody known is counted, not stored row by row."""

import time
from dataclasses import replace

from churn.storage.exchanges import Exchange
from churn.storage.ids import new_id

SINGLY = 20  # refused calls that are stored one by one, a window
WINDOW = 60.0  # seconds
SEVERAL = "*"  # the method of calls that are counted together


class Tally:
    """Stores the first refused calls of each minute one by one, and counts the others by route.

    Only those whose caller is not known: anyone can send them, as many as they like.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._stored = 0
        self._counted: dict[tuple[str, int], Exchange] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is counted that no summary has told."""
        return not self._counted

    def takes(self, exchange: Exchange) -> bool:
        """Return whether an exchange is counted here, and needs no rows of its own."""
        if exchange.caller.kind != "anonymous":
            return False
        now = time.monotonic()
        if now >= self._until:
            self._until, self._stored = now + WINDOW, 0
        if self._stored < SINGLY:
            self._stored += 1
            return False
        place = exchange.route, exchange.status  # not the method: callers make up as many as they like
        known = self._counted.get(place)
        if known is None:
            self._counted[place] = replace(exchange, id=new_id(), method=SEVERAL, body=None)
        else:
            known.times += 1
            known.answered_at = exchange.answered_at
        return True

    def summaries(self) -> list[Exchange]:
        """Return what was counted, one exchange a route with its `times`, and forget it."""
        found = list(self._counted.values())
        self._counted.clear()
        return found
