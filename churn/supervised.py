"""The Service as its supervisor sees it: its name, its options and its checks, without what it answers.

`churn serve` has this one supervised, and workers serve `churn/service.py`: to import all of that in the
supervisor too would take a tenth of a start.
"""

from typing import Any

import bentoml

from churn import preflight
from churn.core.errors import ChurnError
from churn.core.settings import is_traced, load, server_options
from churn.dictionary.technova import TECHNOVA
from churn.web.server import bentoml_patches

OPTIONS: dict[str, Any] = {"name": "churn", "metrics": {"enabled": False}, **server_options()}


def check_start() -> None:
    """Refuse to start, in one sentence, where a worker could not serve; then, our supervisor takes over.

    Raises:
        SystemExit: with that sentence.
    """
    try:
        preflight.check_configured(bentoml_patches.configured()["churn"])
        preflight.prepare(load(), TECHNOVA)
    except ChurnError as error:
        raise SystemExit(f"churn: {error}") from None
    bentoml_patches.supervise_by_ours()


@bentoml.service(**OPTIONS)
class Churn:
    """What the supervisor starts workers for."""

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse to start where a worker could not serve."""
        check_start()


bentoml_patches.apply(traced=is_traced())
