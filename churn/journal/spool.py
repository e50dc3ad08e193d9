"""The spool: where the journal goes while the database is away, on the local disk, in the order it came.

Processes share a folder. Each appends to segments of its own, and takes over those of processes that
died. Records are forgotten a whole segment at a time, once all of it is in the database: after a crash
some are offered again, which who writes them must bear.
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

SEGMENTS = 64  # files that a full spool has, more or less
LOOK = 1.0  # seconds between two looks for what dead processes left
RETRY = 60.0  # seconds for which a file is left alone that could not be read or removed
SET_ASIDE = "set-aside"  # the folder of records that could not be replayed, a file for each segment
MAX_AGE = 24 * 3600.0  # seconds
SOME = 2**18  # bytes that are to be free for calls to come


class Spool:
    """Keeps entries, fsynced, until they are in the database. Nothing is opened before it is needed.

    One thread at a time uses it; `state` and `check` may be asked from any.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age: float = MAX_AGE) -> None:
        self._folder = folder
        self._aside = folder / SET_ASIDE
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._active: Segment | None = None  # takes what is appended
        self._held: dict[str, Segment] = {}  # this process's segments that have records
        self._left: dict[str, float] = {}  # what could not be read or removed, and until when it is left
        self._rejected: set[str] = set()  # of what is being written
        self._next_look = 0.0

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep entries behind those that are there, all or none; durable on return.

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
        """Make sure that no entry waits for too long, and that more could be kept where that is needed.

        Raises:
            SpoolError: it is not so.
        """
        with self._explained():
            if is_needed:
                make_folder(self._folder)
                self._check_budget(SOME)
                reserve(self._folder, SOME)
            oldest = max(map(age, sizes(self._folder)), default=0.0)
        if oldest > self._max_age:
            raise SpoolError(
                f"the oldest call in the spool in {self._folder} has waited for {oldest / 3600:.0f} hours: "
                "bring the database back, or see in the log what it refuses"
            )

    def replay(self, write: Callable[[Sequence[Entry]], None], at_most: int = 500) -> int:
        """Pass the oldest records to `write`, forget them once it returned, and return how many.

        At most `at_most`, and fewer at the end of a segment or where they are large. What `write` raises
        passes, and nothing is forgotten. Records that cannot be read, or that `write` rejects, are set aside.
        """
        while segment := self._oldest():
            try:
                batch = segment.read(at_most)
            except OSError as error:
                self._leave(segment.path.name, error)
                continue
            if batch.entries:
                self._rejected.clear()
                write(batch.entries)
            self._forget(segment, batch)
            if batch.entries:
                return len(batch.entries)
        return 0

    def reject(self, entry: Entry) -> None:
        """Set aside an entry that the database refuses for what is in it: only for `write` to call."""
        self._rejected.add(entry.id)

    @property
    def pending(self) -> bool:
        """Whether there is something to replay: of this process or, seen a little later, of dead ones."""
        if not self._held and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK
            self._oldest()
        return bool(self._held)

    def state(self) -> SpoolState:
        """Return how full the spool is; reads the ends of some files."""
        records = total = set_aside = 0
        oldest = 0.0
        with suppress(OSError):  # what cannot be listed cannot be counted
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
        """Let go of the files; what is not replayed is there at the next start."""
        if self._active and not self._active.records:
            with suppress(OSError):
                self._active.remove()
        for segment in self._held.values():
            segment.close()
        self._active = None
        self._held.clear()
        self._next_look = 0.0

    def _count(self, name: str) -> int:
        held = self._held.get(name)
        try:
            return held.left if held else count(self._folder / name)
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
        """Return the segments with their sizes, where as many bytes may come on top."""
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
            self._leave(self._active.path.name, _gone())

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
        """Return a new segment, the last of the folder in the order of names."""
        make_folder(self._folder)
        newest = int(max(sizes(self._folder), default="0").removesuffix(SUFFIX))
        number = max(time.time_ns(), newest + 1)  # a clock that was put back changes no order
        while (segment := Segment.create(self._folder / f"{number:020d}{SUFFIX}")) is None:
            number += 1
        return segment

    def _oldest(self) -> Segment | None:
        """Return the oldest segment that this process holds, or can take because its own has died."""
        for name in self._names():
            try:
                segment = self._held.get(name) or Segment.take(self._folder / name)
            except OSError as error:
                self._leave(name, error)
                continue
            if segment:
                self._held[name] = segment
                if segment is self._active:
                    self._active = None  # what is appended from now on comes behind it
                return segment
        return None

    def _names(self) -> list[str]:
        """Return the names of all segments that are not left alone, the oldest first."""
        if self._is_left(""):
            return []
        try:
            names = sizes(self._folder)
        except OSError as error:
            self._leave("", error)
            return []
        for name in self._held.keys() - names:
            self._leave(name, _gone())
        return sorted(name for name in names if not self._is_left(name))

    def _forget(self, segment: Segment, batch: SegmentPage) -> None:
        segment.forget(batch, self._rejected)
        if not segment.is_done:
            return
        try:
            if segment.unusable:
                self._set_aside(segment)
            segment.remove()
        except OSError as error:
            self._leave(segment.path.name, error)
        else:
            del self._held[segment.path.name]
        self._next_look = 0.0

    def _set_aside(self, segment: Segment) -> None:
        """Keep the lines that no database has as they are, the whole segment's at once."""
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

    def _is_left(self, name: str) -> bool:
        return time.monotonic() < self._left.get(name, 0.0)

    def _leave(self, name: str, error: OSError) -> None:
        """Go on without a file for a while, so that it does not keep back all that came after it.

        The name of the folder itself is empty here.
        """
        path = self._folder / name
        logger.error("%s cannot be replayed (%s): left alone for %d s", path, error.strerror, RETRY)
        self._left[name] = time.monotonic() + RETRY
        if segment := self._held.pop(name, None):
            segment.close()
        if self._active and self._active.path.name == name:
            self._active.close()
            self._active = None


def configured(settings: Settings) -> Spool | None:
    """Return the spool that the settings want; None where they want none."""
    if not settings.has_spool:
        return None
    return Spool(settings.spool, settings.spool_mb * 1024**2, settings.spool_hours * 3600)


def _gone() -> OSError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on its disk"
    return "let the service write there"
