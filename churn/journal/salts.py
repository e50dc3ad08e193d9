"""Salts: random texts, without which a row's content could be guessed from its digest."""

import os
from collections import deque

SALT_BYTES = 16
DRAWN = 1024  # salts at a time

_drawn: deque[str] = deque()
os.register_at_fork(after_in_child=_drawn.clear)  # two processes never use the same


def new_salt() -> str:
    """Return a new salt: hexadecimal, of SALT_BYTES.

    Many are drawn at a time. Each draw is a system call, which releases the interpreter's lock and waits to
    get it back: one draw per call took a tenth of a busy worker's time.
    """
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            text = os.urandom(SALT_BYTES * DRAWN).hex()
            starts = range(0, len(text), 2 * SALT_BYTES)
            _drawn.extend([text[start : start + 2 * SALT_BYTES] for start in starts])
