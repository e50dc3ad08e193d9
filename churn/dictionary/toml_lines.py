"""On which line of a TOML file something stands, which the standard parser does not tell."""

import tomllib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

Path = Sequence[str | int]


class TomlLines:
    """Finds the lines of a valid TOML text."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)

    @cached_property
    def _parsed(self) -> dict[int, Any]:
        """What the first lines hold, by their number."""
        return {0: {}}

    def line_of(self, path: Path) -> int:
        """Return the line where a value or table begins; where it is not there, that of what should hold it.

        The first lines alone hold it from some line on, which bisection finds.
        """
        low, high = 0, len(self._lines)
        whole = self._holds(path, high)
        if not whole:
            return 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._holds(path, middle) >= whole else (middle, high)
        return self._readable(high - 1)[0] + 1

    def _holds(self, path: Path, count: int) -> int:
        """Return how much of a path the first lines hold."""
        value = self._readable(count)[1]
        for depth, key in enumerate(path):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return depth
        return len(path)

    def _readable(self, count: int) -> tuple[int, Any]:
        """Return how many of the first lines can be read, and what they hold.

        Those that end inside a value of several lines cannot.
        """
        while count not in self._parsed:
            try:
                self._parsed[count] = tomllib.loads("".join(self._lines[:count]))
            except tomllib.TOMLDecodeError:
                count -= 1
        return count, self._parsed[count]
