"""Giving way: what is long and done in a thread holds nobody up for long, and leaves no memory behind."""

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

OFTEN = 0.0005  # seconds for which a thread keeps the interpreter while another wants it; Python's own: 0.005

_USUAL = sys.getswitchinterval()


class Yielding:
    """Has the threads of this process take turns more often while something long is done in one of them.

    A call takes several turns of the event loop, and would wait for the interpreter before each. Always, it
    would cost throughput. For the event loop's thread alone.
    """

    def __init__(self) -> None:
        self._at_work = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Give way often inside; afterwards, give the memory back to the system."""
        self._at_work += 1
        sys.setswitchinterval(OFTEN)
        try:
            yield
        finally:
            self._at_work -= 1
            if not self._at_work:
                sys.setswitchinterval(_USUAL)
                threading.Thread(target=_trim, name="trim", daemon=True).start()


def _trim() -> None:
    """Give back what is free but kept; the C library of Linux keeps nearly all of it, others little."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has nothing to give back
            ctypes.CDLL(None).malloc_trim(0)


yielding = Yielding()  # of the process, as the interpreter is
