"""Pairs of fields as served: a table of effects for what two fields do together. Standard library only.

A pair's effect belongs to both of its fields, half to each: the Shapley value of two players of whom neither
does anything alone (L. Shapley, "A value for n-person games", 1953). So every field keeps one effect and one
contribution, whether it is paired or not. A change is divided by the same rule: what one field moves while
the other stays is its own, and where both move, each has the mean of moving first and of moving last.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = -1  # the place of what is unknown, or of no cell


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cells of a number: a cut belongs to the cell on its right."""

    cuts: tuple[float, ...]

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.cuts) + 1

    def place(self, value: float) -> int:
        """Return the cell of a number."""
        return bisect_right(self.cuts, value)


@dataclass(frozen=True, slots=True)
class Names:
    """The cells of a category: one each, in their order."""

    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.names)

    def place(self, value: str) -> int:
        """Return the cell of a category, -1 of one that is none of them."""
        return self.names.index(value) if value in self.names else UNKNOWN


Axis = Cuts | Names


@dataclass(frozen=True, slots=True)
class PairTable:
    """The effect of each cell of the first field with each of the second; log-odds before calibration."""

    fields: tuple[str, str]
    effects: tuple[tuple[float, ...], ...]

    def of(self, first: int, second: int) -> float:
        """Return the effect at two places; none where either is unknown."""
        return 0.0 if first < 0 or second < 0 else self.effects[first][second]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The tables of all pairs, and where the cells of their fields are."""

    axes: Mapping[str, Axis] = field(default_factory=dict)
    tables: tuple[PairTable, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.tables)

    def add_to(self, effects: dict[str, float], record: Mapping[str, Any]) -> None:
        """Add half of each pair's effect on a record to each of its fields'."""
        places = self._places(record)
        for table in self.tables:
            first, second = table.fields
            half = table.of(places[first], places[second]) / 2
            effects[first] += half
            effects[second] += half

    def move(self, moves: dict[str, float], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Add to each field's move what it moves of its pairs."""
        old, new = self._places(before), self._places(after)
        for table in self.tables:
            first, second = table.fields
            a, b, c, d = old[first], old[second], new[first], new[second]
            before_both, after_both = table.of(a, b), table.of(c, d)
            # Each from the same differences, so that a field that stays moves exactly nothing.
            moves[first] += ((table.of(c, b) - before_both) + (after_both - table.of(a, d))) / 2
            moves[second] += ((table.of(a, d) - before_both) + (after_both - table.of(c, b))) / 2

    def _places(self, record: Mapping[str, Any]) -> dict[str, int]:
        return {
            name: UNKNOWN if (value := record.get(name)) is None else axis.place(value)
            for name, axis in self.axes.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the pairs as plain values, fit for JSON."""
        axes = {
            name: {"cuts": list(axis.cuts)} if isinstance(axis, Cuts) else {"categories": list(axis.names)}
            for name, axis in self.axes.items()
        }
        tables = [
            {"fields": list(table.fields), "effects": [list(row) for row in table.effects]}
            for table in self.tables
        ]
        return {"axes": axes, "tables": tables}


def from_dict(plain: Mapping[str, Any]) -> Pairs:
    """Return the pairs that `Pairs.to_dict` wrote; raises KeyError where they are none."""
    axes: dict[str, Axis] = {
        name: Cuts(tuple(axis["cuts"])) if "cuts" in axis else Names(tuple(axis["categories"]))
        for name, axis in plain["axes"].items()
    }
    tables = tuple(
        PairTable((table["fields"][0], table["fields"][1]), tuple(map(tuple, table["effects"])))
        for table in plain["tables"]
    )
    return Pairs(axes, tables)
