"""The spool: where the journal goes while the database is away, on the local disk, in order.

Processes share a folder. Each appends to segments of its own, and takes over those of processes that died. A
segment is removed as a whole, once all of it is in the database. After a crash some records are offered
again: the code that writes them must tolerate that.
"""

import errno
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from churn.core.atomic_file import replacing
from churn.core.errors import SpoolError
from churn.core.settings import Settings
from churn.journal.disk_space import reserve
from churn.journal.entry import Entry
from churn.journal.segment import OVERHEAD, Segment, SegmentPage, count
from churn.journal.spool_folder import SUFFIX, SpoolState, age, lines, make_folder, sizes

logger = logging.getLogger("churn")

SEGMENTS = 64  # files in a full spool, more or less
SCAN = 1.0  # seconds between two scans for segments of dead processes
RETRY = 60.0  # seconds for which a file is skipped that could not be read or removed
SET_ASIDE = "set-aside"  # the folder of records that could not be replayed, one file per segment
MAX_AGE = 24 * 3600.0  # seconds
RESERVE = 2**18  # bytes that have to be free for new calls


class Spool:
    """Keeps entries, fsynced, until they are in the database. No file is opened before it is needed.

    Only one thread at a time may use it, but any may call `state` and `check`.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age: float = MAX_AGE) -> None:
        self._folder = folder
        self._aside = folder / SET_ASIDE
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._active: Segment | None = None  # the one that is appended to
        self._held: dict[str, Segment] = {}  # this process's segments that have records
        self._skipped: dict[str, float] = {}  # files that could not be read or removed, and when to try again
        self._rejected: set[str] = set()  # entries of the page that is being written
        self._next_scan = 0.0

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep entries after those that are there, all or none; durable on return.

        Raises:
            SpoolError: the spool is full or cannot be written.
        """
        documents = [entry.dump() for entry in entries]
        if not documents:
            return
        with self._explained():
            self._check_room(sum(map(len, documents)) + OVERHEAD * len(documents))
            self._append(documents)

    def check(self, *, is_needed: bool) -> None:
        """Make sure that no entry has waited too long and, where that is needed, that more could be kept.

        Raises:
            SpoolError: one has, or no more could be.
        """
        with self._explained():
            if is_needed:
                make_folder(self._folder)
                self._check_budget(RESERVE)
                reserve(self._folder, RESERVE)
            oldest = max(map(age, sizes(self._folder)), default=0.0)
        if oldest > self._max_age:
            raise SpoolError(
                f"the oldest call in the spool in {self._folder} has waited for {oldest / 3600:.0f} hours: "
                "bring the database back, or see in the log what it refuses"
            )

    def replay(self, write: Callable[[Sequence[Entry]], None], at_most: int = 500) -> int:
        """Pass up to `at_most` of the oldest records to `write`, forget them afterwards, and return how many.

        There are fewer at the end of a segment, or where they are large. Where `write` raises an error, it is
        passed on and nothing is forgotten. Records that cannot be read, or that `write` rejects, are set
        aside.
        """
        while segment := self._oldest():
            try:
                page = segment.read(at_most)
            except OSError as error:
                self._skip(segment.path.name, error)
                continue
            if page.entries:
                self._rejected.clear()
                write(page.entries)
            self._forget(segment, page)
            if page.entries:
                return len(page.entries)
        return 0

    def reject(self, entry: Entry) -> None:
        """Set aside an entry whose content the database refuses; only `write` may call this."""
        self._rejected.add(entry.id)

    @property
    def pending(self) -> bool:
        """Whether there are records to replay: of this process or, noticed a little later, of dead ones."""
        if not self._held and time.monotonic() >= self._next_scan:
            self._next_scan = time.monotonic() + SCAN
            self._oldest()
        return bool(self._held)

    def state(self) -> SpoolState:
        """Return how full the spool is; reads the ends of some files."""
        records = total = set_aside = 0
        oldest = 0.0
        with suppress(OSError):  # a folder that cannot be listed
            segments = sizes(self._folder)
            for name, size in segments.items():
                total += size
                records += self._count(name)
            oldest = max((age(name) for name, size in segments.items() if size), default=0.0)
            for name, size in sizes(self._aside).items():
                total += size
                set_aside += lines(self._aside / name, size)
        return SpoolState(records, total, set_aside, self._max_bytes, oldest)

    def close(self) -> None:
        """Close the files; records that were not replayed are there at the next start."""
        if self._active and not self._active.records:
            with suppress(OSError):
                self._active.remove()
        for segment in self._held.values():
            segment.close()
        self._active = None
        self._held.clear()
        self._next_scan = 0.0

    def _count(self, name: str) -> int:
        held = self._held.get(name)
        try:
            return held.remaining if held else count(self._folder / name)
        except OSError:  # removed meanwhile, or not readable
            return 0

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SpoolError(
                f"the spool in {self._folder} cannot be written ({error.strerror}): {_remedy(error)}"
            ) from error

    def _check_budget(self, size: int) -> Mapping[str, int]:
        """Return the segments with their sizes; raise SpoolError where so many more bytes are too many."""
        segments = sizes(self._folder)
        used = sum(segments.values()) + sum(sizes(self._aside).values())
        if used + size > self._max_bytes:
            raise SpoolError(
                f"the spool in {self._folder} is full ({used} of {self._max_bytes} bytes): "
                "bring the database back, or raise CHURN_SPOOL_MB"
            )
        return segments

    def _check_room(self, size: int) -> None:
        segments = self._check_budget(size)
        if self._active and self._active.path.name not in segments:
            self._skip(self._active.path.name, _missing())

    def _append(self, documents: Sequence[bytes]) -> None:
        segment = self._active
        if segment is None or segment.end >= self._max_bytes // SEGMENTS:
            segment = self._active = self._begin()
        try:
            segment.append(documents)
        except OSError:
            if segment.is_torn:
                self._active = None
                if not segment.records:
                    with suppress(OSError):
                        segment.remove()
            raise
        self._held[segment.path.name] = segment

    def _begin(self) -> Segment:
        """Return a new segment, whose name comes last in the folder."""
        make_folder(self._folder)
        newest = int(max(sizes(self._folder), default="0").removesuffix(SUFFIX))
        number = max(time.time_ns(), newest + 1)  # even if the clock was put back
        while (segment := Segment.create(self._folder / f"{number:020d}{SUFFIX}")) is None:
            number += 1
        return segment

    def _oldest(self) -> Segment | None:
        """Return the oldest segment that this process holds, or can take because its process has died."""
        for name in self._names():
            try:
                segment = self._held.get(name) or Segment.take(self._folder / name)
            except OSError as error:
                self._skip(name, error)
                continue
            if segment:
                self._held[name] = segment
                if segment is self._active:
                    self._active = None  # new entries go to a later segment
                return segment
        return None

    def _names(self) -> list[str]:
        """Return the names of all segments that are not skipped, the oldest first."""
        if self._is_skipped(""):
            return []
        try:
            names = sizes(self._folder)
        except OSError as error:
            self._skip("", error)
            return []
        for name in self._held.keys() - names:
            self._skip(name, _missing())
        return sorted(name for name in names if not self._is_skipped(name))

    def _forget(self, segment: Segment, page: SegmentPage) -> None:
        segment.forget(page, self._rejected)
        if not segment.is_done:
            return
        try:
            if segment.unusable:
                self._set_aside(segment)
            segment.remove()
        except OSError as error:
            self._skip(segment.path.name, error)
        else:
            del self._held[segment.path.name]
        self._next_scan = 0.0

    def _set_aside(self, segment: Segment) -> None:
        """Keep the lines of a segment that are in no database, just as they are."""
        make_folder(self._aside)
        with replacing(self._aside / segment.path.name) as part:
            part.chmod(0o600)
            part.write_bytes(b"".join([line for _, line in segment.unusable]))
        numbers = ", ".join([str(number) for number, _ in segment.unusable][:10])
        more = ", …" if len(segment.unusable) > 10 else ""
        logger.warning(
            "%s: %d records that could not be replayed are set aside in %s (lines %s)",
            segment.path,
            len(segment.unusable),
            self._aside,
            numbers + more,
        )

    def _is_skipped(self, name: str) -> bool:
        return time.monotonic() < self._skipped.get(name, 0.0)

    def _skip(self, name: str, error: OSError) -> None:
        """Skip a file for a while, so that it does not hold up the later ones.

        The name of the folder itself is empty here.
        """
        path = self._folder / name
        logger.error("%s cannot be replayed (%s): left alone for %d s", path, error.strerror, RETRY)
        self._skipped[name] = time.monotonic() + RETRY
        if segment := self._held.pop(name, None):
            segment.close()
        if self._active and self._active.path.name == name:
            self._active.close()
            self._active = None


def configured(settings: Settings) -> Spool | None:
    """Return the spool of the settings; None where they ask for none."""
    if not settings.has_spool:
        return None
    return Spool(settings.spool, settings.spool_mb * 1024**2, settings.spool_hours * 3600)


def _missing() -> OSError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on its disk"
    return "let the service write there"
