"""Marks: unique values that are recognised wherever they turn up, however they are spelled."""

import base64
import random
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

# Where a mark may appear: nowhere; in the answer to the caller whose prediction it went into, and the
# journal; in the answer to the caller who used it as a name, and the journal; in the list of what was
# rejected of a file, for the caller who sent it; in the page that answers the form it was typed into.
May = Literal["nobody", "predicted", "named", "rejected", "typed"]


@dataclass
class Marks:
    """Makes marks, and finds them in bytes.

    Words are hexadecimal and numbers decimal: no quoting, escaping or case folding changes them. All marks of
    a run begin alike, so that one search finds any of them, even cut off.
    """

    may: dict[str, May] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)  # secrets that are no marks
    _word: str = field(default_factory=lambda: "f" + secrets.token_hex(5)[1:])
    _digits: str = field(default_factory=lambda: str(random.randrange(10**7, 10**8)))

    def word(self, may: May = "nobody") -> str:
        """Return a new word of 17 hexadecimal digits."""
        return self._issued(f"{self._word}{len(self.may):07x}", may)

    def integer(self, may: May = "nobody") -> int:
        """Return a new number of 14 digits."""
        return int(self._issued(f"{self._digits}{len(self.may):06d}", may))

    def pay(self, may: May = "nobody") -> float:
        """Return a new monthly pay in euros, with digits that no real one has."""
        thousands, rest = divmod(len(self.may), 1000)
        return float(self._issued(f"{2_000 + rest}.{self._digits}{thousands}7", may))

    def find(self, content: bytes) -> set[str]:
        """Return the marks in some bytes, and the beginnings of cut off or encoded ones."""
        marks = set(self._written(content.lower()))
        marks |= {form.decode("latin-1") for form in self._encoded() if form in content}
        return marks | {other for other in self.others if other.encode() in content}

    def _issued(self, mark: str, may: May) -> str:
        self.may[mark] = may
        return mark

    def _written(self, lowered: bytes) -> Iterator[str]:
        patterns = (
            rf"{self._word}[0-9a-f]{{0,7}}",
            rf"(?<!\.){self._digits}\d{{0,6}}",
            rf"\d{{4}}\.{self._digits}\d{{0,3}}",
        )
        for pattern in patterns:
            yield from (mark.decode() for mark in re.findall(pattern.encode(), lowered))
        scientific = f"{self._digits[0]}.{self._digits[1:]}"
        yield from [scientific] * (scientific.encode() in lowered)

    def _encoded(self) -> Iterator[bytes]:
        """Yield the marks' beginnings in base64, at any offset, in hexadecimal and in UTF-16."""
        for plain in (self._word.encode(), self._digits.encode()):
            for before in range(3):
                whole = base64.b64encode(b"\0" * before + plain)
                yield whole[(before * 8 + 5) // 6 : (before + len(plain)) * 8 // 6]
            yield plain.hex().encode()
            yield plain.decode().encode("utf-16-le")
