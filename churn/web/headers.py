"""Headers of a request, read from its scope."""

from starlette.types import Scope


def header(scope: Scope, name: bytes, default: str = "") -> str:
    """Return the first header with a name in lower case; Starlette's `Headers` decodes all of them first."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), default)
