"""Rows that say nothing any more, and stay for the chain of digests."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Column, Connection, null, update

CHUNK = 2000  # in one statement


def empty_rows(
    connection: Connection, key: Column[uuid.UUID], names: Sequence[str], keys: Sequence[uuid.UUID]
) -> None:
    """Remove what rows of a table say in some columns, and their salts; `key` tells which rows."""
    said = dict.fromkeys((*names, "salt"), null())
    for start in range(0, len(keys), CHUNK):
        connection.execute(update(key.table).where(key.in_(keys[start : start + CHUNK])).values(said))
