"""Tracebacks: where an error came from is logged, its text is not: that may repeat an employee's values."""

import asyncio
import logging
import sys
import threading
import traceback
from typing import Any

logger = logging.getLogger("churn")


def anonymous_traceback(error: BaseException) -> str:
    """Return where an error came from and its name, without its text and those of its causes."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{type(error).__qualname__}"


def keep_texts_out() -> None:
    """Have all libraries of this process log errors this way, and what nobody caught, too.

    Of BentoML, uvicorn and SQLAlchemy's pool what they hand to `logging`; of asyncio what it would tell with
    the arguments of calls; of threads and finalizers what would go to stderr. Called in the event loop.
    """
    keep_texts_out_of_threads()
    asyncio.get_running_loop().set_exception_handler(_of_loop)


def keep_texts_out_of_threads() -> None:
    """Have the same where there is no event loop."""
    logging.setLogRecordFactory(_Record)
    if threading.excepthook is threading.__excepthook__:  # else the process is somebody's who looks himself
        threading.excepthook = _of_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _of_finalizer


class _Record(logging.LogRecord):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[1] is not None:
            self.exc_text = anonymous_traceback(self.exc_info[1])  # which formatters print as it is
            self.exc_info = None


def _of_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    logger.error("in the event loop: %s", anonymous_traceback(error) if error else context["message"])


def _of_thread(ended: threading.ExceptHookArgs) -> None:
    told = anonymous_traceback(ended.exc_value) if ended.exc_value else ended.exc_type.__qualname__
    logger.error("the thread %s has ended:\n%s", ended.thread.name if ended.thread else "?", told)


def _of_finalizer(failed: "sys.UnraisableHookArgs") -> None:
    told = anonymous_traceback(failed.exc_value) if failed.exc_value else failed.exc_type.__qualname__
    logger.error("where nobody could catch it:\n%s", told)
