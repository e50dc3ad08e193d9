"""The flood counter: a flood of calls by unknown callers is counted, not stored row by row."""

import time
from collections import Counter
from dataclasses import replace

import orjson

from churn.core.ids import new_id
from churn.journal.call import Call

STORED = 20  # refused calls of one kind that are stored one by one in each window
TOO_OFTEN = 429
WINDOW = 60.0  # seconds
ANY_METHOD = "*"  # the method of calls that are counted together

_Kind = tuple[str, str | None, bool]


class FloodCounter:
    """Has the first refused calls of each minute stored one by one, and counts the others by route.

    These are the calls of unknown callers, since anyone can send as many as they like, and those that came
    too often. Calls without credentials are a kind of their own: a flood of one kind hides none of another. A
    known user whose password was wrong is named, in a row or a count of their own.
    """

    def __init__(self) -> None:
        self._window_end = 0.0
        self._stored: Counter[_Kind] = Counter()
        self._counted: dict[tuple[_Kind, str, int], Call] = {}

    @property
    def is_empty(self) -> bool:
        """Whether every counted call was in a summary."""
        return not self._counted

    def counts(self, call: Call) -> bool:
        """Return whether a call is counted here, and so needs no rows of its own."""
        caller = call.caller
        if caller.kind != "anonymous" and call.status != TOO_OFTEN:
            return False
        now = time.monotonic()
        if now >= self._window_end:
            self._window_end = now + WINDOW
            self._stored.clear()
        kind = caller.kind, caller.name, call.is_bare
        # Unknown names take the same path as others: the time must not show whether a name is known.
        budget = kind if caller.kind != "anonymous" else (caller.kind, None, call.is_bare)
        if self._stored[budget] < STORED:
            self._stored[budget] += 1
            return False
        # Without the method, since callers can make up any number of them. Only known users have names here.
        key = kind, call.route, call.status
        counted = self._counted.get(key)
        if counted is None:
            body = _with_address_only(call.body)
            self._counted[key] = replace(call, id=new_id(), method=ANY_METHOD, body=body)
        else:
            counted.times += 1
            counted.answered_at = call.answered_at
        return True

    def summaries(self) -> list[Call]:
        """Return what was counted, one call per route with its `times`, and start again."""
        summaries = list(self._counted.values())
        self._counted.clear()
        return summaries


def _with_address_only(body: bytes | None) -> bytes | None:
    """Return the part of the first answer that is kept: where that call came from."""
    return None if body is None else orjson.dumps({"address": orjson.loads(body).get("address")})
