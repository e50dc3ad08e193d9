"""The names of columns and JSON members: which field each stands for, whatever its spelling.

The API, the files to be scored and the extracts all read names in this one way.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile

from churn.dictionary.field import Field
from churn.dictionary.folding import fold_name

LONGEST = 64  # characters, of a name that may be a field's

# Words that a name may have or lack, and mean the same. No unit, period or measure is one of them.
_FILLERS = {"at", "d", "dans", "de", "des", "du", "in", "l", "la", "le", "les", "of", "the", "with"}
_FILLERS |= {"employe", "employee"}  # every field is about one
_LONG_WORD = 7  # letters: a word this long with one slip is no other word

Words = tuple[str, ...]


class Names:
    """Finds fields by their names, in any spelling.

    `by_spelling` has the fields by their folded spellings; `passed_over` the folded names of columns that say
    nothing more about an employee, so that they are read and dropped.
    """

    def __init__(self, fields: Sequence[Field], passed_over: Iterable[str]) -> None:
        self.by_spelling = {fold_name(spelling): field for field in fields for spelling in field.spellings}
        self.passed_over = frozenset(map(fold_name, passed_over)) - self.by_spelling.keys()
        self._meanings = [
            (_words(spelling), field)
            for spelling, field in self.by_spelling.items()
            if field.role not in ("identifier", "target")
        ]
        self._field_of = lru_cache(maxsize=4096)(lambda name: self.by_spelling.get(fold_name(name)))

    def field_of(self, name: str) -> Field | None:
        """Return the field that a name stands for; None where there is none."""
        # A long text is no field's name, and not worth a place in the cache.
        return self._field_of(name) if len(name) <= LONGEST else None

    def is_passed_over(self, name: str) -> bool:
        """Return whether a name is that of a column which is read and dropped."""
        return len(name) <= LONGEST and fold_name(name) in self.passed_over

    def meant(self, name: str) -> Field | None:
        """Return the only field that an unknown name can mean; None where there is none, or several.

        Its words are those of one of the field's spellings, apart from words without meaning, and from one
        slip in one long word: a letter too many, too few or wrong, or two letters exchanged.
        """
        given = _words(fold_name(name)) if len(name) <= LONGEST else ()
        candidates = {field.name: field for words, field in self._meanings if _alike(given, words)}
        return candidates.popitem()[1] if len(candidates) == 1 else None


def _words(folded: str) -> Words:
    return tuple(word for word in folded.split("_") if word not in _FILLERS)


def _alike(given: Words, known: Words) -> bool:
    if len(given) != len(known):
        return False
    different = [pair for pair in zip(given, known, strict=True) if pair[0] != pair[1]]
    return len(different) <= 1 and all(_is_slip(*pair) for pair in different)


def _is_slip(word: str, other: str) -> bool:
    """Return whether a word is another, long one with one slip."""
    if min(len(word), len(other)) < _LONG_WORD:
        return False
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False))))
    left, right = word[same:], other[same:]
    exchanged = left[:2] == right[1::-1] and left[2:] == right[2:]
    return exchanged or left[1:] == right[1:] or left[1:] == right or left == right[1:]
