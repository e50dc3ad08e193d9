"""Salts: random texts that keep a row's digest from being guessed back to what is in the row."""

import os
from collections import deque

SALT_BYTES = 16
DRAWN = 1024  # salts at a time

_drawn: deque[str] = deque()
os.register_at_fork(after_in_child=_drawn.clear)  # two processes have none in common


def new_salt() -> str:
    """Return a salt that nobody else has: hexadecimal, of SALT_BYTES.

    Many are drawn at a time. Each draw is a call to the system, which lets other threads have the interpreter
    and waits to get it back: with a draw for each call, that took a tenth of a busy worker's time.
    """
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            text = os.urandom(SALT_BYTES * DRAWN).hex()
            _drawn.extend([text[at : at + 2 * SALT_BYTES] for at in range(0, len(text), 2 * SALT_BYTES)])
