"""The words of a column's name, however they are written together."""

import re

from churn.dictionary.folding import fold_name

CAPITALS = r"(?<=[a-z0-9])(?=[A-Z])"  # where one word ends and the next begins, in monthlyIncome


def words_of(name: str) -> str:
    """Return a name as folded words, joined by underscores."""
    return fold_name(re.sub(CAPITALS, "_", name))


def has(pattern: str, name: str) -> bool:
    """Return whether one of a pattern's alternatives stands among a name's words."""
    return re.search(rf"(?:^|_)(?:{pattern})(?:_|$)", words_of(name)) is not None


def plain(name: str) -> str:
    """Return a name as lower-case letters, digits and underscores alone; empty where it has none."""
    return re.sub(r"[^a-z0-9]+", "_", fold_name(name)).strip("_")
