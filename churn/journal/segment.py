"""Segments: the files of the spool, one record per line, each held by one process.

A line is a CRC-32 of the rest of it, an entry as `Entry.dump` writes it, and its number in the file, so that
the end of a file tells how many records it has. A line without its newline was never acknowledged.
"""

import errno
import fcntl
import os
import zlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from churn.core.atomic_file import sync
from churn.journal.entry import Entry, load

OVERHEAD = 19  # bytes of a line besides its entry
READ = 8 * 1024**2  # bytes after which a read stops, however few records it has read

Line = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """Consecutive records that were read from a segment.

    `numbers` are the line numbers of the entries, from 1; `corrupt` has the lines that hold no entry, with
    their numbers.
    """

    entries: Sequence[Entry]
    numbers: Sequence[int]
    corrupt: Sequence[Line]
    lines: int
    end: int


class Segment:
    """A file that only this process appends to, reads and removes, until it closes the file or dies.

    Every method may raise OSError. Only one thread at a time may use it.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.end, self.records = _extent(file)  # bytes and lines that were acknowledged
        self.is_torn = False  # whether more follows after `end` that could not be cut off
        self.unusable: list[Line] = []  # forgotten lines that are in no database
        self._file = file
        self._read_lines = 0
        self._read_end = 0

    @classmethod
    def create(cls, path: Path) -> "Segment | None":
        """Return a new segment; None where the name is taken."""
        try:
            file = FileIO(path, "x+", opener=_private)
        except FileExistsError:
            return None
        try:
            return cls._locked(path, file)
        except OSError:
            path.unlink()
            raise

    @classmethod
    def take(cls, path: Path) -> "Segment | None":
        """Return a segment whose process has died; None where it lives or the segment is gone."""
        try:
            return cls._locked(path, FileIO(path, "r+"))
        except FileNotFoundError:
            return None

    @classmethod
    def _locked(cls, path: Path, file: FileIO) -> "Segment | None":
        try:
            # The lock ends with its process, even if that is killed.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The file may have been removed after it was opened.
            if os.fstat(file.fileno()).st_nlink:
                return cls(path, file)
        except BlockingIOError:
            pass
        except BaseException:
            file.close()
            raise
        file.close()
        return None

    @property
    def remaining(self) -> int:
        """How many records are still to be read or set aside."""
        return self.records - self._read_lines + len(self.unusable)

    def append(self, documents: Sequence[bytes]) -> None:
        """Write entries, all or none; durable on return."""
        numbered = enumerate(documents, self.records + 1)
        lines = b"".join([_line(document, number) for number, document in numbered])
        try:
            written = 0
            while written < len(lines):
                written += os.pwrite(self._file.fileno(), lines[written:], self.end + written)
            os.fsync(self._file.fileno())
            if not self.records:
                sync(self.path.parent)  # the name of a new file has to be durable, too
        except OSError:
            self._cut()
            raise
        self.end += len(lines)
        self.records += len(documents)

    def _cut(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self.end)
            os.fsync(self._file.fileno())
        except OSError:
            self.is_torn = True

    def read(self, at_most: int) -> SegmentPage:
        """Return up to `at_most` of the oldest records that are not forgotten; fewer where they are large."""
        entries: list[Entry] = []
        numbers: list[int] = []
        corrupt: list[Line] = []
        number, end = self._read_lines, self._read_end
        with self.path.open("rb") as file:
            file.seek(end)
            while end < self.end and len(entries) < at_most and end - self._read_end < READ:
                line = file.readline()
                if not line:
                    raise OSError(errno.EIO, "it is shorter than it was")
                number, end = number + 1, end + len(line)
                try:
                    entries.append(_entry(line))
                    numbers.append(number)
                except ValueError:
                    corrupt.append((number, line))
        return SegmentPage(entries, numbers, corrupt, number, end)

    def forget(self, page: SegmentPage, rejected: Container[str]) -> None:
        """Continue after a page that was read; `rejected` are the ids of its entries that are not stored."""
        numbered = zip(page.numbers, page.entries, strict=True)
        refused = [(n, _line(entry.dump(), n)) for n, entry in numbered if entry.id in rejected]
        self.unusable += sorted([*page.corrupt, *refused])
        self._read_lines, self._read_end = page.lines, page.end

    @property
    def is_done(self) -> bool:
        """Whether every record was read and forgotten."""
        return self._read_end >= self.end

    def remove(self) -> None:
        """Delete the file, then close it."""
        try:
            self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file, so that another process may take it."""
        self._file.close()


def count(path: Path) -> int:
    """Return how many records a file has; reads little more than its last line."""
    with FileIO(path) as file:
        return _extent(file)[1]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(document: bytes, number: int) -> bytes:
    body = b"%b %08x\n" % (document, number)
    return b"%08x %b" % (zlib.crc32(body), body)


def _entry(line: bytes) -> Entry:
    """Return the entry of a line; raises ValueError where it holds none."""
    body = line[9:]
    if line[:9] != b"%08x " % zlib.crc32(body):
        raise ValueError("the checksum differs")
    try:
        return load(body[:-10])
    except (TypeError, LookupError) as error:
        raise ValueError("not an entry") from error


def _extent(file: FileIO) -> tuple[int, int]:
    """Return where the last whole line of a file ends, and its number."""
    descriptor, size = file.fileno(), os.fstat(file.fileno()).st_size
    window = 1 << 14
    while True:
        start = max(0, size - window)
        tail = os.pread(descriptor, size - start, start)
        end = tail.rfind(b"\n") + 1
        if end >= OVERHEAD or not start:
            break
        window *= 16
    try:
        return start + end, int(tail[end - 9 : end], 16) if end else 0
    except ValueError:  # a corrupt line: count them all
        return start + end, os.pread(descriptor, size, 0).count(b"\n")
