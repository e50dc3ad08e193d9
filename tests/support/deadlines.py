"""Deadlines that are short enough for tests."""

from dataclasses import replace

import pytest

from churn.web.routes import ROUTES


def short_deadline(patch: pytest.MonkeyPatch, path: str, seconds: float | None) -> None:
    """End the calls to a path after so many seconds (None: never), whether it is served or not."""
    patch.setitem(ROUTES, path, replace(ROUTES[path], path=path, deadline=seconds))
