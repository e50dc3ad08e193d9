"""Tracebacks without the error's text, which may repeat an employee's values."""

import asyncio
import logging
import sys
import threading
import traceback
from typing import Any

logger = logging.getLogger("churn")


def anonymous_traceback(error: BaseException) -> str:
    """Return an error's frames and its name, without its text and without its causes."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{type(error).__qualname__}"


def log_without_texts() -> None:
    """Log the errors of all libraries in this process without their texts, and so those that nobody caught.

    This covers what BentoML, uvicorn and SQLAlchemy's pool pass to `logging`, what asyncio would log with the
    arguments of calls, and what threads and finalizers would write to stderr. Call it in the event loop.
    """
    log_threads_without_texts()
    asyncio.get_running_loop().set_exception_handler(_log_loop_error)


def log_threads_without_texts() -> None:
    """Do the same where there is no event loop."""
    logging.setLogRecordFactory(_RecordWithoutText)
    if threading.excepthook is threading.__excepthook__:  # else the program has its own hook
        threading.excepthook = _log_thread_error
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _log_finalizer_error


class _RecordWithoutText(logging.LogRecord):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[1] is not None:
            self.exc_text = anonymous_traceback(self.exc_info[1])  # formatters print this as it is
            self.exc_info = None


def _log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    logger.error("in the event loop: %s", anonymous_traceback(error) if error else context["message"])


def _log_thread_error(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "?"
    logger.error("the thread %s has ended:\n%s", name, _traceback_of(failure))


def _log_finalizer_error(failure: "sys.UnraisableHookArgs") -> None:
    logger.error("where nobody could catch it:\n%s", _traceback_of(failure))


def _traceback_of(failure: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> str:
    return anonymous_traceback(failure.exc_value) if failure.exc_value else failure.exc_type.__qualname__
