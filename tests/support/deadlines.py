"""Deadlines that a test can wait for."""

from dataclasses import replace

import pytest

from churn.web.routes import ROUTES


def short_deadline(patch: pytest.MonkeyPatch, path: str, seconds: float | None) -> None:
    """Have the calls to a path end after so many seconds (None: never), whether it is served or not."""
    patch.setitem(ROUTES, path, replace(ROUTES[path], path=path, deadline=seconds))
