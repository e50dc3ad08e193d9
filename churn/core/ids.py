"""Keys: UUIDv7, made by the application and sorted by time."""

import uuid
from datetime import UTC, datetime
from hashlib import sha256

import uuid_utils


def new_id() -> uuid.UUID:
    """Return a UUIDv7."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def moment_of(key: uuid.UUID) -> datetime:
    """Return when a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


def repeatable_id(moment: datetime, seed: uuid.UUID, purpose: str, number: int) -> uuid.UUID:
    """Return the UUIDv7 of a moment that the same seed, purpose and number always make.

    Those of one moment are in the order of their numbers, which are below 2**32.
    """
    digest = sha256(f"{seed} {purpose} {number}".encode()).digest()
    key = int(moment.timestamp() * 1000) << 80 | 7 << 76 | number >> 20 << 64 | 2 << 62
    return uuid.UUID(int=key | (number & (1 << 20) - 1) << 42 | int.from_bytes(digest[:6], "big") >> 6)
