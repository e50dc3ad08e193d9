"""Headers of a request, read from its scope."""

from starlette.types import Scope


def header(scope: Scope, name: bytes, default: str = "") -> str:
    """Return the first header of a name in lower case; starlette's `Headers` does so by way of text."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), default)
