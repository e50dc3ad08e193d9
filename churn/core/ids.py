"""Keys: UUIDv7, made by the application and sorted by time."""

import uuid

import uuid_utils


def new_id() -> uuid.UUID:
    """Return a UUIDv7."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)
