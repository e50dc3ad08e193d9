"""The empty endpoint, as the measure of the speed benchmark: what BentoML itself takes for a request.

bentoml serve benchmarks.empty_endpoint:Empty

The service's configuration is that of `service.py`, with BentoML's own time-out, which that replaces.
It takes nothing and answers next to nothing.
"""

import bentoml

from churn.core.settings import server_options


@bentoml.service(name="empty", traffic={"timeout": 60}, metrics={"enabled": False}, **server_options())
class Empty:
    """One endpoint that does nothing."""

    @bentoml.api  # type: ignore[untyped-decorator]
    async def empty(self) -> dict[str, int]:
        """Return a small answer, whatever came."""
        return {"prediction": 0}
