"""The model report and card: not drawn yet."""

from collections.abc import Mapping
from typing import Any


def render(facts: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG001 - what it will draw
    """Return the documents by file name: none yet."""
    return {}
