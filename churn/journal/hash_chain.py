"""The hash chain: digests that show later whether a row of the journal was changed, removed or inserted.

Each row has a leaf: SHA-256 over its salt, its table's name and its cells. Salts are random, so that a leaf
says nothing once row and salt are erased. Each transaction adds one batch to the chain of its writer: SHA-256
over the previous batch and the leaves of its rows, with the requests in the order of their ids and the rows
of each in the order of `tables.CALL_TABLES`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import orjson

LEAF_BYTES = 32
GENESIS = bytes(32)  # stands for the batch before the first


def leaf(table: str, salt: str, cells: Sequence[object]) -> bytes:
    """Return the digest of one row: 32 bytes.

    `salt` is hexadecimal; `cells` are the row's plain cells without salt and batch. The rows of one
    prediction share the salt of its input.
    """
    return sha256(orjson.dumps((salt, table, cells))).digest()


@dataclass(frozen=True)
class Link:
    """One transaction's link in the chain of its writer."""

    id: uuid.UUID
    chain: uuid.UUID
    sequence: int
    previous: bytes
    leaves: bytes

    @cached_property
    def digest(self) -> bytes:
        """The digest that the next batch builds on: 32 bytes."""
        head = self.previous + self.id.bytes + self.chain.bytes + self.sequence.to_bytes(8, "big")
        return sha256(head + self.leaves).digest()
