"""Memory files: bytes outside of Python's own memory, which can be handed to another process."""

import mmap
import os
import tempfile
from types import TracebackType
from typing import Self


class MemoryFile:
    """A file without a name, which is gone when its last holder closes it; Python keeps none of its bytes.

    It is in memory on Linux; elsewhere it is a temporary file that nobody else can open.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _create() if descriptor is None else descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, part: bytes) -> None:
        """Write some more; may raise OSError."""
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def replace(self, whole: bytes) -> None:
        """Replace the content; may raise OSError."""
        os.ftruncate(self.descriptor, 0)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        self.append(whole)

    def read(self) -> bytes:
        """Return the content; may raise OSError."""
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            return file.read()

    def view(self) -> memoryview:
        """Return the content without reading it yet; nobody may change it while the view is used."""
        return memoryview(mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ))

    def close(self) -> None:
        """Close the file; its views stay valid."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _create() -> int:
    if hasattr(os, "memfd_create"):  # Linux
        return os.memfd_create("churn")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
