"""Giving way: what is long and done in a thread holds nobody up for long, and leaves no memory behind."""

import asyncio
import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

OFTEN = 0.0005  # seconds for which a thread keeps the interpreter while another wants it; Python's own: 0.005

SOON = 2.0  # seconds until the answer has been sent, too

_USUAL = sys.getswitchinterval()
# Linux's C library keeps nearly all that was freed; where there is no such function, others keep little.
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


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
                asyncio.get_running_loop().call_later(SOON, self._tidy)

    def _tidy(self) -> None:
        if not self._at_work and _TRIM is not None:
            threading.Thread(target=_TRIM, args=(0,), name="trim", daemon=True).start()


yielding = Yielding()  # of the process, as the interpreter is
