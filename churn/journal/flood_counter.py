"""The flood counter: a flood of calls by nobody known is counted, not stored row by row."""

import time
from collections import Counter
from dataclasses import replace

import orjson

from churn.core.ids import new_id
from churn.journal.call import Call

SINGLY = 20  # refused calls of one sort that are stored one by one, a window
TOO_OFTEN = 429
WINDOW = 60.0  # seconds
SEVERAL = "*"  # the method of calls that are counted together

_Sort = tuple[str, str | None, bool]


class FloodCounter:
    """Stores the first refused calls of each minute one by one, and counts the others by route.

    Those whose caller is not known, since anyone can send as many as they like; and what came too often.
    Calls without credentials are a sort of their own: who floods the journal with one sort hides none of
    another. A known user whose password was wrong is named, in a row or a count of their own.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._stored: Counter[_Sort] = Counter()
        self._counted: dict[tuple[_Sort, str, int], Call] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is counted that no summary has told."""
        return not self._counted

    def takes(self, call: Call) -> bool:
        """Return whether a call is counted here, and needs no rows of its own."""
        caller = call.caller
        if caller.kind != "anonymous" and call.status != TOO_OFTEN:
            return False
        now = time.monotonic()
        if now >= self._until:
            self._until = now + WINDOW
            self._stored.clear()
        sort = caller.kind, caller.name, call.is_bare
        # Names that nobody has go the same way as others: whether one is known shall not show in the time.
        budget = sort if caller.kind != "anonymous" else (caller.kind, None, call.is_bare)
        if self._stored[budget] < SINGLY:
            self._stored[budget] += 1
            return False
        # Not the method: callers make up as many as they like. Names are those of known users alone.
        place = sort, call.route, call.status
        known = self._counted.get(place)
        if known is None:
            body = _with_address_only(call.body)
            self._counted[place] = replace(call, id=new_id(), method=SEVERAL, body=body)
        else:
            known.times += 1
            known.answered_at = call.answered_at
        return True

    def summaries(self) -> list[Call]:
        """Return what was counted, one call a route with its `times`, and forget it."""
        found = list(self._counted.values())
        self._counted.clear()
        return found


def _with_address_only(body: bytes | None) -> bytes | None:
    """Return what is kept of the first answer: from where that call came."""
    return None if body is None else orjson.dumps({"address": orjson.loads(body).get("address")})
