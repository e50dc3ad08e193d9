"""Serving from this very process, as `bentoml serve` does it.

Its command line imports what builds and deploys as well, which takes as long as all the rest of a start.
"""

from _bentoml_impl.loader import load
from _bentoml_impl.server import serve_http
from bentoml._internal.context import server_context
from bentoml._internal.log import configure_server_logging
from bentoml.exceptions import BentoMLException

from churn.core import places
from churn.core.errors import SettingsError
from churn.web.server.worker import SUPERVISED


def serve(host: str, port: int, keep_alive: int) -> None:
    """Serve until a signal ends it; `keep_alive` is in seconds.

    Raises:
        SettingsError: BentoML refuses its configuration.
        SystemExit: a worker could not serve.
    """
    folder = str(places.working_folder())
    server_context.service_type = "cli"  # what its log calls this process
    configure_server_logging()  # type: ignore[no-untyped-call]
    try:
        load(SUPERVISED, working_dir=folder).inject_config()
        serve_http(SUPERVISED, working_dir=folder, host=host, port=port, timeout_keep_alive=keep_alive)
    except BentoMLException as error:
        raise SettingsError(f"BentoML: {error}") from error
