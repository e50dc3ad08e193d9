"""How far long work has come, for whoever shows it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # done, of how many
RowProgress = Callable[[int, float], None]  # rows so far, and the share of them all, 0 to 1
