"""The names of columns and JSON members: which field each stands for, whatever its spelling.

One dictionary for every door: the API, files to be scored, and the extracts.
"""

from functools import lru_cache
from itertools import takewhile

from churn.dictionary import domain
from churn.dictionary.domain import Field

LONGEST = 64  # characters, of a name that may be a field's

BY_SPELLING: dict[str, Field] = {
    domain.fold_name(spelling): field for field in domain.FIELDS for spelling in field.spellings
}

# Other columns that the extracts have: they say nothing more of an employee, so they are read and dropped.
PASSED_OVER: frozenset[str] = frozenset(
    domain.fold_name(name)
    for names in (domain.ID_COLUMNS.values(), *domain.CONSTANT_COLUMNS.values())
    for name in names
) - set(BY_SPELLING)

# Words that a name may have or lack, and mean the same. No unit, period or measure is one of them.
_FILLERS = {"at", "d", "dans", "de", "des", "du", "in", "l", "la", "le", "les", "of", "the", "with"}
_FILLERS |= {"employe", "employee"}  # everybody is one
_LONG_WORD = 7  # letters, from which on a word with one slip is no other word


def field_of(name: str) -> Field | None:
    """Return the field that a name stands for; None where it is none's."""
    # A long text is no field's name, and is not worth a place in the cache.
    return _field_of(name) if len(name) <= LONGEST else None


@lru_cache(maxsize=4096)
def _field_of(name: str) -> Field | None:
    return BY_SPELLING.get(domain.fold_name(name))


def is_passed_over(name: str) -> bool:
    """Return whether a name is that of a column which is read and dropped."""
    return len(name) <= LONGEST and domain.fold_name(name) in PASSED_OVER


def meant(name: str) -> Field | None:
    """Return the field that an unknown name can only mean; None where that cannot be told.

    Its words are those of one of the field's spellings, but for words without meaning, and for one slip
    (a letter too many, too few or another, or two exchanged) in one long word.
    """
    given = _words(domain.fold_name(name)) if len(name) <= LONGEST else ()
    found = {name for words, name in _MEANINGS if _alike(given, words)}
    return domain.BY_NAME[found.pop()] if len(found) == 1 else None


def _words(folded: str) -> tuple[str, ...]:
    return tuple(word for word in folded.split("_") if word not in _FILLERS)


_MEANINGS = [
    (_words(spelling), field.name)
    for spelling, field in BY_SPELLING.items()
    if field.role not in ("identifier", "target")
]


def _alike(given: tuple[str, ...], known: tuple[str, ...]) -> bool:
    if len(given) != len(known):
        return False
    different = [(one, other) for one, other in zip(given, known, strict=True) if one != other]
    return len(different) <= 1 and all(_is_slip(one, other) for one, other in different)


def _is_slip(one: str, other: str) -> bool:
    """Return whether a word is another, long one with one slip."""
    if min(len(one), len(other)) < _LONG_WORD:
        return False
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
    left, right = one[same:], other[same:]
    exchanged = left[:2] == right[1::-1] and left[2:] == right[2:]
    return exchanged or left[1:] == right[1:] or left[1:] == right or left == right[1:]
