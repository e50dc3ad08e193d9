"""Memory files: bytes outside of Python's own memory, which another process may be handed."""

import mmap
import os
import tempfile
from types import TracebackType
from typing import Self


class MemoryFile:
    """Bytes without a name, gone when the last who holds them lets go: nothing of them stays with Python.

    In memory on Linux; elsewhere in a file of the folder for temporary ones that nobody can open.
    """

    def __init__(self, number: int | None = None) -> None:
        self.number = _made() if number is None else number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, part: bytes) -> None:
        """Write some more; may raise OSError."""
        left = memoryview(part)
        while left:
            left = left[os.write(self.number, left) :]

    def replace(self, whole: bytes) -> None:
        """Have it hold something else; may raise OSError."""
        os.ftruncate(self.number, 0)
        os.lseek(self.number, 0, os.SEEK_SET)
        self.append(whole)

    def read(self) -> bytes:
        """Return all of it; may raise OSError."""
        with os.fdopen(os.dup(self.number), "rb") as file:
            file.seek(0)
            return file.read()

    def view(self) -> memoryview:
        """Return all of it, which is not read before it is used; nobody may change it meanwhile."""
        return memoryview(mmap.mmap(self.number, 0, access=mmap.ACCESS_READ))

    def close(self) -> None:
        """Let go of it; views stay."""
        if self.number >= 0:
            os.close(self.number)
            self.number = -1


def _made() -> int:
    if hasattr(os, "memfd_create"):  # Linux
        return os.memfd_create("churn")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
