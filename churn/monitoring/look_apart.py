"""A look in a process of its own: numpy, which the figures take, stays out of the workers."""

import pickle
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churn.core import python_process
from churn.core.errors import ChurnError, OverloadedError
from churn.core.language import Language
from churn.database.embedded import Identity, identity_of
from churn.dictionary.dictionary import Dictionary

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATIENCE = 120  # seconds: longer than any caller waits


@dataclass(frozen=True, slots=True)
class Look:
    """What the process is to look at; `of` is the name of a monitor there."""

    url: str
    identity: Identity
    of: str
    query: Any
    tag: str
    dictionary: Dictionary
    language: Language


def look_apart(
    engine: "Engine", of: str, query: object, tag: str, dictionary: Dictionary, language: Language
) -> Any:
    """Return the report of a monitor.

    Raises:
        OverloadedError: the process cannot be started, has ended by itself, or takes too long.
        ChurnError: what the look itself raises.
    """
    url = engine.url.render_as_string(hide_password=False)
    look = Look(url, identity_of(engine), of, query, tag, dictionary, language)
    try:
        process = python_process.begin(
            "-m", "churn.monitoring.look_process", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    except OSError as error:
        raise OverloadedError(f"the process for looks cannot be started ({error.strerror})") from error
    with process:
        try:
            answer, _ = process.communicate(pickle.dumps(look), timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise OverloadedError(f"the look took longer than {PATIENCE} seconds") from None
    if process.returncode:
        raise OverloadedError("the process for looks has ended by itself")
    report = pickle.loads(answer)  # noqa: S301 - our own process's
    if isinstance(report, ChurnError):
        raise report
    return report
