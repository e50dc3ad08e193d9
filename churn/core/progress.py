"""Callbacks for the progress of long work."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # done, of how many
RowProgress = Callable[[int, float], None]  # rows so far, and the share of them all, 0 to 1
