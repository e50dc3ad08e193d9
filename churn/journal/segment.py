"""Segments: the files of the spool, one record a line, each in the hands of one process.

A line is a CRC-32 of what follows it, an entry as `Entry.dump` writes it, and its number in the file, so
that the end of a file tells how many records it has. What has no newline was never acknowledged.
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

OVERHEAD = 19  # bytes that a line has around its entry
READ = 8 * 1024**2  # bytes after which a read stops, however few records it has

Line = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """Records read from a segment in a row.

    `numbers` are those of the entries' lines in the file, from 1; `corrupt` has the whole lines that hold
    no entry, with their numbers.
    """

    entries: Sequence[Entry]
    numbers: Sequence[int]
    corrupt: Sequence[Line]
    lines: int
    end: int


class Segment:
    """A file that this process alone appends to, reads and removes, until it closes it or dies.

    Every method may raise OSError. One thread at a time uses it.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.end, self.records = _extent(file)  # of what is acknowledged: bytes and lines
        self.is_torn = False  # behind `end` is something that could not be cut off
        self.unusable: list[Line] = []  # forgotten so far, and in no database
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
            return cls._held(path, file)
        except OSError:
            path.unlink()
            raise

    @classmethod
    def take(cls, path: Path) -> "Segment | None":
        """Return a segment whose process has died; None where it lives or the segment is gone."""
        try:
            return cls._held(path, FileIO(path, "r+"))
        except FileNotFoundError:
            return None

    @classmethod
    def _held(cls, path: Path, file: FileIO) -> "Segment | None":
        try:
            # A lock ends with its process, however that ends.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have removed the file between its opening and its locking.
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
    def left(self) -> int:
        """How many records are still to be read, or to be set aside."""
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
                sync(self.path.parent)  # a new file's name has to last, too
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
        """Return the oldest records that are not forgotten; fewer than `at_most` where they are large."""
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

    def forget(self, batch: SegmentPage, rejected: Container[str]) -> None:
        """Go on behind a batch that was read; `rejected` are ids of entries in it that are not stored."""
        numbered = zip(batch.numbers, batch.entries, strict=True)
        refused = [(n, _line(entry.dump(), n)) for n, entry in numbered if entry.id in rejected]
        self.unusable += sorted([*batch.corrupt, *refused])
        self._read_lines, self._read_end = batch.lines, batch.end

    @property
    def is_done(self) -> bool:
        """Whether every record was read and forgotten."""
        return self._read_end >= self.end

    def remove(self) -> None:
        """Delete the file, then let go of it."""
        try:
            self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file: another process may take it."""
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
    number, size = file.fileno(), os.fstat(file.fileno()).st_size
    window = 1 << 14
    while True:
        start = max(0, size - window)
        tail = os.pread(number, size - start, start)
        end = tail.rfind(b"\n") + 1
        if end >= OVERHEAD or not start:
            break
        window *= 16
    try:
        return start + end, int(tail[end - 9 : end], 16) if end else 0
    except ValueError:  # a corrupt line: they have to be counted
        return start + end, os.pread(number, size, 0).count(b"\n")
