"""The Service as its supervisor sees it: its name, its options and its checks, without what it answers.

`churn serve` has this one supervised, and workers serve `churn/service.py`: to import all of that in the
supervisor too would take a tenth of a start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bentoml

from churn.core.errors import ChurnError
from churn.core.settings import is_traced, load, server_options
from churn.web.server import bentoml_patches
from churn.web.server.refused_options import check_options

OPTIONS: dict[str, Any] = {"name": "churn", "metrics": {"enabled": False}, **server_options()}


def check_start() -> None:
    """Let our supervisor take over, which refuses to start, in one sentence, where a worker could not serve.

    Raises:
        SystemExit: with that sentence.
    """
    with _in_one_sentence():
        check_options(bentoml_patches.configured()["churn"])
    bentoml_patches.supervise_by_ours(prepare)


def prepare() -> bool:
    """Check and make what workers need; return whether the database had its identities made.

    Raises:
        SystemExit: what is missing, and what to do, in one sentence.
    """
    # Imported here: the workers have been started by then, and import the same meanwhile.
    from churn import preflight  # noqa: PLC0415
    from churn.dictionary.technova import TECHNOVA  # noqa: PLC0415

    with _in_one_sentence():
        return preflight.prepare(load(), TECHNOVA)


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except ChurnError as error:
        raise SystemExit(f"churn: {error}") from None


@bentoml.service(**OPTIONS)
class Churn:
    """What the supervisor starts workers for."""

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse to start where a worker could not serve."""
        check_start()


bentoml_patches.apply(traced=is_traced())
