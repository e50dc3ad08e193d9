"""The spool: kept on disk, replayed in order, through kill -9, corruption and full disks."""

import errno
import fcntl
import logging
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import FileIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Engine, func, select

from churn.core.errors import DatabaseError, SpoolError
from churn.database.tables import JOURNAL, requests
from churn.journal.entry import Entry
from churn.journal.spool import Spool
from churn.journal.writer import Writer
from harness.servers import PROJECT
from tests.support import spooling
from tests.support.disks import small_disk
from tests.support.spooling import drain, fill, ids, make, printed, process

AMPLE = 100 * 1024**2
SMALL = 200_000  # bytes: a new segment every few entries


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "spool"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    spool = Spool(folder, AMPLE)
    yield spool
    spool.close()


def spooled(folder: Path, *batches: Sequence[Entry], max_bytes: int = AMPLE) -> None:
    """Leave entries as a process does that has died."""
    spool = Spool(folder, max_bytes)
    for entries in batches:
        spool.append(entries)
    spool.close()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def refuse(entries: Sequence[Entry]) -> None:
    raise DatabaseError("away")


def ignore(entries: Sequence[Entry]) -> None:
    """Stand for a database that takes everything."""


class TestOrder:
    def test_what_is_appended_comes_back_whole_and_in_order(self, spool: Spool) -> None:
        entries = make(5, employees=3)
        spool.append(entries[:2])
        spool.append(entries[2:])
        found: list[Entry] = []
        assert spool.replay(found.extend) == 5
        assert found == entries
        assert not spool.pending

    def test_a_replay_takes_the_oldest_and_no_more_than_asked(self, spool: Spool) -> None:
        entries = make(7)
        spool.append(entries)
        found: list[Entry] = []
        assert [spool.replay(found.extend, at_most=3) for _ in range(4)] == [3, 3, 1, 0]
        assert found == entries

    def test_a_replay_does_not_fill_the_memory(self, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("churn.journal.segment.READ", 100_000)
        spool.append(make(6, employees=100))
        assert 1 < spool.replay(ignore) < 6
        assert len(drain(spool)) >= 1

    def test_it_is_used_again_and_again(self, spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(3):
            entries = make(2)
            spool.append(entries)
            assert drain(spool) == ids(entries)
        assert caplog.records == []

    def test_what_comes_while_replaying_comes_last(self, spool: Spool) -> None:
        first, second = make(4), make(2)
        spool.append(first)
        found: list[Entry] = []
        spool.replay(found.extend, at_most=1)
        spool.append(second)
        while spool.pending:
            spool.replay(found.extend)
        assert found == [*first, *second]

    def test_it_holds_over_many_segments_and_a_clock_put_back(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entries = make(60)
        spooled(folder, entries[:30], max_bytes=SMALL)
        monkeypatch.setattr("time.time_ns", lambda: 1_000)
        spooled(folder, *([entry] for entry in entries[30:]), max_bytes=SMALL)
        assert len(segments(folder)) > 5
        assert drain(Spool(folder, SMALL)) == ids(entries)
        assert segments(folder) == []

    def test_what_write_raises_passes_and_nothing_is_forgotten(self, spool: Spool) -> None:
        entries = make(5)
        spool.append(entries)
        spool.replay(ignore, at_most=2)
        for _ in range(2):
            with pytest.raises(DatabaseError, match="away"):
                spool.replay(refuse)
            assert spool.pending
        assert drain(spool) == ids(entries[2:])

    def test_it_is_all_there_after_a_restart(self, folder: Path) -> None:
        entries = make(5)
        spooled(folder, entries)
        spool = Spool(folder, AMPLE)
        assert spool.pending
        assert drain(spool) == ids(entries)
        assert not Spool(folder, AMPLE).pending


class TestFolder:
    def test_nothing_is_touched_before_it_is_needed(self, spool: Spool, folder: Path) -> None:
        assert not spool.pending
        assert spool.replay(refuse) == 0
        assert spool.state().records == 0
        spool.append([])
        spool.close()
        assert not folder.parent.exists()

    def test_asking_whether_something_is_pending_reads_next_to_nothing(
        self, spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = []

        def scandir(path: Path, scandir: Callable[[Path], object] = os.scandir) -> object:
            looks.append(path)
            return scandir(path)

        monkeypatch.setattr("os.scandir", scandir)
        now = time.monotonic()
        monkeypatch.setattr("churn.journal.spool.time", SimpleNamespace(monotonic=lambda: now))
        assert not any(spool.pending for _ in range(100))
        assert looks == [folder]

    def test_nobody_else_may_read_it(self, folder: Path) -> None:
        spooled(folder, make(1))
        [segment] = segments(folder)
        segment.write_bytes(b"damaged\n")
        before = stat.S_IMODE(segment.stat().st_mode)
        drain(Spool(folder, AMPLE))
        [aside] = (folder / "set-aside").iterdir()
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, aside.parent, aside)]
        assert [before, *modes] == [0o600, 0o700, 0o700, 0o600]

    def test_it_can_be_deleted_under_a_live_process(
        self, spool: Spool, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        spool.append(make(2))
        shutil.rmtree(folder)
        entries = make(3)
        spool.append(entries)
        assert drain(spool) == ids(entries)
        assert "cannot be replayed (No such file or directory)" in caplog.text

    def test_its_deletion_while_the_database_is_back_ends_the_replay(
        self, spool: Spool, folder: Path
    ) -> None:
        spool.append(make(2))
        shutil.rmtree(folder)
        assert spool.replay(refuse) == 0
        assert not spool.pending


class TestDurability:
    def test_what_was_appended_is_on_the_disk_and_so_are_the_names(
        self, spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: dict[int, int] = {}  # what the disk has for sure: bytes by file or folder

        def fsync(number: int, fsync: Callable[[int], None] = os.fsync) -> None:
            fsync(number)
            found = os.fstat(number)
            synced[found.st_ino] = found.st_size

        monkeypatch.setattr("os.fsync", fsync)
        for _ in range(2):
            spool.append(make(3))
            [segment] = segments(folder)
            assert synced[segment.stat().st_ino] == segment.stat().st_size
        assert {folder.stat().st_ino, folder.parent.stat().st_ino} <= synced.keys()

    def test_what_is_set_aside_is_on_the_disk_before_it_is_forgotten(
        self, spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spooled(folder, make(1))
        [segment] = segments(folder)
        segment.write_bytes(b"damaged\n")
        synced: dict[int, bool] = {}

        def fsync(number: int, fsync: Callable[[int], None] = os.fsync) -> None:
            fsync(number)
            synced[os.fstat(number).st_ino] = segment.exists()

        monkeypatch.setattr("os.fsync", fsync)
        assert drain(spool) == []
        [aside] = (folder / "set-aside").iterdir()
        assert not segment.exists()
        assert all(synced[path.stat().st_ino] for path in (aside, aside.parent, folder))


class TestState:
    def test_it_counts_what_is_spooled(self, spool: Spool, folder: Path) -> None:
        spool.append(make(3))
        spool.append(make(2, employees=50))
        state = spool.state()
        assert (state.records, state.set_aside, state.max_bytes) == (5, 0, AMPLE)
        assert state.bytes == sum(path.stat().st_size for path in segments(folder))
        spool.replay(ignore, at_most=4)
        assert spool.state().records == 1
        drain(spool)
        assert (spool.state().records, spool.state().bytes) == (0, 0)

    def test_it_counts_what_others_have_spooled(self, folder: Path) -> None:
        spooled(folder, make(3), make(1, employees=50))
        with process("hold", folder, AMPLE) as other:
            assert other.stdout
            other.stdout.readline()
            mine = Spool(folder, AMPLE)
            mine.append(make(2))
            theirs = Spool(folder, AMPLE).state()
            assert replace(mine.state(), oldest=0) == replace(theirs, oldest=0)
            assert mine.state().oldest >= theirs.oldest > 0
            assert mine.state().records == 9
            mine.close()

    @pytest.mark.parametrize(
        "tail", [b"torn", b"torn" * 20_000, b"x\n", b'00000000 [] "employe"\n', b"\xff\0\n"]
    )
    def test_a_damaged_end_does_not_stop_the_count(self, tail: bytes, folder: Path) -> None:
        spooled(folder, make(40))
        with segments(folder)[0].open("ab") as file:
            file.write(tail)
        assert Spool(folder, AMPLE).state().records == 40 + tail.endswith(b"\n")

    def test_a_folder_that_cannot_be_listed_is_said_once_and_no_error(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("churn.journal.spool.SCAN", 0.0)
        (tmp_path / "file").touch()
        assert Spool(tmp_path / "file", AMPLE).state().records == 0
        too_long = Spool(tmp_path / ("x" * 300), AMPLE)
        assert too_long.state().records == 0
        assert not too_long.pending
        assert not too_long.pending
        [record] = caplog.records
        assert "cannot be replayed (File name too long)" in record.message


class TestProcesses:
    @pytest.mark.parametrize("seed", range(4))
    def test_killed_while_appending(self, seed: int, folder: Path) -> None:
        moment = random.Random(seed).randrange(1, 60)
        with process("append", folder, 2_000_000) as child:
            assert child.stdout
            lines = [child.stdout.readline() for _ in range(moment)]
            child.kill()
            acknowledged = [word for line in lines for word in line.split()] + printed(child.stdout)
        found = drain(Spool(folder, 2_000_000))
        # Of the one append that was not acknowledged any part may be there.
        assert found[: len(acknowledged)] == acknowledged
        assert len(found) - len(acknowledged) <= 16
        assert len(set(found)) == len(found)

    def test_killed_between_commit_and_removal(self, engine: Engine, folder: Path) -> None:
        entries = make(35)
        spooled(folder, entries)
        url = engine.url.render_as_string(hide_password=False)
        for _ in range(2):
            with process("die", folder, AMPLE, url) as child:
                assert child.wait() == spooling.DIED
        assert count(engine) == {"requests": 10, "api_responses": 10} | dict.fromkeys(
            ("employee_inputs", "features", "prediction_results"), 10
        )
        spool, writer = Spool(folder, AMPLE), Writer(engine)
        while spool.pending:
            spool.replay(lambda entries: writer.write(entries, replayed=True), at_most=10)
        writer.close()
        assert set(count(engine).values()) == {35}
        with engine.connect() as connection:
            kept = connection.execute(select(requests.c.id)).scalars()
            assert {key.hex for key in kept} == set(ids(entries))

    def test_what_a_live_process_spooled_is_its_own_business_until_it_dies(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("churn.journal.spool.SCAN", 0.0)
        mine = Spool(folder, AMPLE)
        with process("hold", folder, AMPLE) as other:
            assert other.stdout
            theirs = other.stdout.readline().split()
            assert not mine.pending
            assert mine.replay(refuse) == 0
            entries = make(2)
            mine.append(entries)
            assert drain(mine) == ids(entries)
            other.kill()
            other.wait()
        assert mine.pending
        assert drain(mine) == theirs

    def test_the_oldest_goes_first_whoever_spooled_it(self, folder: Path) -> None:
        first, second, third = make(2), make(2), make(2)
        spooled(folder, first)
        mine = Spool(folder, AMPLE)
        mine.append(second)
        spooled(folder, third)
        assert drain(mine) == ids([*first, *second, *third])

    def test_two_processes_never_replay_the_same(self, folder: Path) -> None:
        batches = [make(5) for _ in range(60)]
        for entries in batches:
            spooled(folder, entries)
        with process("replay", folder, AMPLE) as one, process("replay", folder, AMPLE) as two:
            found = [printed(one.stdout), printed(two.stdout)]
        assert sorted(found[0] + found[1]) == sorted(ids([entry for batch in batches for entry in batch]))
        assert segments(folder) == []

    def test_a_file_that_a_killed_process_had_only_created_goes(self, folder: Path) -> None:
        spooled(folder, make(1))
        empty = folder / f"{5:020d}.spool"
        empty.touch()
        torn = folder / f"{6:020d}.spool"
        torn.write_bytes(b"0000")
        spool = Spool(folder, AMPLE)
        assert len(drain(spool)) == 1
        assert segments(folder) == []

    def test_a_file_that_somebody_removed_before_it_was_locked_is_not_replayed_again(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spooled(folder, make(1))
        [segment] = segments(folder)

        def flock(file: FileIO, how: int, flock: Callable[[FileIO, int], None] = fcntl.flock) -> None:
            segment.unlink()
            flock(file, how)

        monkeypatch.setattr("fcntl.flock", flock)
        assert not Spool(folder, AMPLE).pending

    @pytest.mark.parametrize("removed", [False, True])
    def test_a_new_file_that_another_process_found_first_is_not_appended_to(
        self, removed: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found: list[FileIO] = []

        def flock(file: FileIO, how: int, flock: Callable[[FileIO, int], None] = fcntl.flock) -> None:
            if not found:
                [path] = segments(folder)
                found.append(FileIO(path))
                if removed:
                    path.unlink()
                else:
                    flock(found[0], how)
            flock(file, how)

        monkeypatch.setattr("fcntl.flock", flock)
        spool = Spool(folder, AMPLE)
        entries = make(2)
        spool.append(entries)
        assert os.fstat(found[0].fileno()).st_size == 0
        found[0].close()
        assert drain(spool) == ids(entries)
        drain(Spool(folder, AMPLE))
        assert segments(folder) == []

    def test_a_name_that_is_taken_is_passed_over(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("churn.journal.spool.sizes", lambda folder: {})
        monkeypatch.setattr("time.time_ns", lambda: 1_000)
        one, two = Spool(folder, AMPLE), Spool(folder, AMPLE)
        one.append(make(1))
        two.append(make(2))
        assert [path.name for path in segments(folder)] == [f"{n:020d}.spool" for n in (1000, 1001)]
        one.close()
        two.close()


def count(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in JOURNAL
        }


def flipped(line: bytes) -> bytes:
    middle = len(line) // 2
    return line[:middle] + bytes([line[middle] ^ 1]) + line[middle + 1 :]


def framed(document: bytes) -> bytes:
    """Return a line with a right checksum."""
    body = document + b" 00000003\n"
    return b"%08x " % zlib.crc32(body) + body


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a flipped bit": flipped,
    "an end that is lost": lambda line: line[: len(line) // 2] + b"\n",
    "zeros": lambda line: bytes(len(line) - 1) + b"\n",
    "an empty line": lambda line: b"\n",
    "another's text": lambda line: "employé\n".encode(),
    "no JSON": lambda line: framed(b"{"),
    "no rows": lambda line: framed(b"[]"),
    "a number": lambda line: framed(b"5"),
    "rows of other kinds": lambda line: framed(b'[[{"a": 1}], [{}], [{}], [{}], [{}]]'),
}


class TestCorruption:
    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
    def test_a_corrupt_record_is_set_aside_and_the_rest_replayed(
        self, damage: Callable[[bytes], bytes], folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        entries = make(5)
        spooled(folder, entries)
        [segment] = segments(folder)
        lines = segment.read_bytes().splitlines(keepends=True)
        lines[2] = damage(lines[2])
        segment.write_bytes(b"".join(lines))
        spool = Spool(folder, AMPLE)
        assert drain(spool, at_most=2) == ids(entries[:2] + entries[3:])
        assert (folder / "set-aside" / segment.name).read_bytes() == lines[2]
        assert segments(folder) == []
        assert (spool.state().records, spool.state().set_aside) == (0, 1)
        [record] = caplog.records
        assert (record.name, record.levelno) == ("churn", logging.WARNING)
        assert f"{segment}: 1 records that could not be replayed" in record.message
        assert "(lines 3)" in record.message
        assert "Caller" not in record.message

    def test_a_torn_last_line_was_never_acknowledged(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        entries = make(3)
        spooled(folder, entries)
        [segment] = segments(folder)
        with segment.open("ab") as file:
            file.write(segment.read_bytes().splitlines()[0])
        spool = Spool(folder, AMPLE)
        assert drain(spool) == ids(entries)
        assert spool.state().set_aside == 0
        assert segments(folder) == []
        assert caplog.records == []

    def test_only_corrupt_records_leave_nothing_to_replay(self, folder: Path) -> None:
        spooled(folder, make(1))
        segments(folder)[0].write_bytes(b"one\ntwo\n" * 20)
        entries = make(2)
        spooled(folder, entries)
        spool = Spool(folder, AMPLE)
        found: list[Entry] = []
        assert spool.replay(found.extend) == 2
        assert ids(found) == ids(entries)
        assert spool.state().set_aside == 40
        assert spool.state().bytes == 160

    def test_a_corrupt_record_is_set_aside_once_however_often_its_segment_is_replayed(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        entries = make(4)
        spooled(folder, entries)
        [segment] = segments(folder)
        lines = segment.read_bytes().splitlines(keepends=True)
        segment.write_bytes(b"".join([b"damaged\n", *lines[1:]]))
        for _ in range(2):
            spool = Spool(folder, AMPLE)
            with pytest.raises(DatabaseError):
                spool.replay(refuse)
            spool.replay(ignore, at_most=1)
            spool.close()
        spool = Spool(folder, AMPLE)
        assert drain(spool) == ids(entries[1:])
        assert spool.state().set_aside == 1
        assert len(caplog.records) == 1

    def test_what_the_database_refuses_is_set_aside_too(
        self, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        entries = make(5)
        spooled(folder, entries)
        [segment] = segments(folder)
        lines = segment.read_bytes().splitlines(keepends=True)
        lines[1] = b"damaged\n"
        segment.write_bytes(b"".join(lines))
        spool = Spool(folder, AMPLE)

        def write(found: Sequence[Entry], *, fails: bool) -> None:
            for entry in found:
                if entry.id in (entries[0].id, entries[4].id):
                    spool.reject(entry)
            if fails:
                refuse(found)

        with pytest.raises(DatabaseError):
            spool.replay(lambda found: write(found, fails=True))
        assert [spool.replay(lambda found: write(found, fails=False), at_most=2) for _ in range(2)] == [2, 2]
        assert (folder / "set-aside" / segment.name).read_bytes() == lines[0] + lines[1] + lines[4]
        assert not spool.pending
        assert spool.state().set_aside == 3
        assert "3 records that could not be replayed are set aside" in caplog.text
        assert "(lines 1, 2, 5)" in caplog.text

    def test_what_the_database_takes_in_the_end_is_not_set_aside(self, spool: Spool) -> None:
        spool.append(make(2))

        def reject(found: Sequence[Entry]) -> None:
            spool.reject(found[0])
            refuse(found)

        with pytest.raises(DatabaseError):
            spool.replay(reject)
        assert spool.replay(ignore) == 2
        assert spool.state().set_aside == 0

    @pytest.mark.parametrize("obstacle", ["a folder with its name", "no place to set aside", "cut short"])
    def test_a_file_that_cannot_be_replayed_keeps_nothing_back_and_is_tried_again(
        self,
        obstacle: str,
        folder: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        first, second = make(3), make(2)
        spooled(folder, first)
        [bad] = segments(folder)
        whole = bad.read_bytes()
        spooled(folder, second)
        spool = Spool(folder, AMPLE)
        if obstacle == "a folder with its name":
            bad.unlink()
            bad.mkdir()
        elif obstacle == "no place to set aside":
            bad.write_bytes(b"damaged\n")
            (folder / "set-aside").touch()
        else:
            assert spool.pending
            os.truncate(bad, 100)
        assert drain(spool) == ids(second)
        assert segments(folder) == [bad]
        assert not spool.pending
        assert spool.state().bytes == bad.stat().st_size
        [record] = caplog.records
        assert f"{bad} cannot be replayed" in record.message
        if bad.is_dir():
            bad.rmdir()
        bad.write_bytes(whole)
        assert drain(spool) == []
        later = time.monotonic() + 61
        monkeypatch.setattr("churn.journal.spool.time", SimpleNamespace(monotonic=lambda: later))
        assert drain(spool) == ids(first)


class TestLimits:
    def test_a_full_spool_takes_nothing_more_until_some_is_replayed(self, folder: Path) -> None:
        spool = Spool(folder, SMALL)
        kept, error = fill(spool)
        assert re.search(r"spool in .*/spool is full .*raise CHURN_SPOOL_MB", str(error))
        assert error.status == 503
        state = spool.state()
        assert state.bytes <= SMALL < state.bytes * 1.1
        assert state.records == len(kept)
        spool.replay(ignore, at_most=100)
        entries = make(1)
        spool.append(entries)
        assert kept[-1] in (found := drain(spool))
        assert found[-1] == entries[0].id

    def test_the_bound_is_of_all_processes_and_of_what_was_set_aside(self, folder: Path) -> None:
        spooled(folder, make(1))
        segments(folder)[0].write_bytes(b"x" * 100_000 + b"\n")
        drain(Spool(folder, SMALL))
        other, spool = Spool(folder, SMALL), Spool(folder, SMALL)
        other.append(make(100))
        with pytest.raises(SpoolError, match="is full"):
            spool.append(make(100))
        spool.append(make(1))
        other.close()
        spool.close()

    def test_an_append_is_all_or_nothing(self, folder: Path) -> None:
        spool = Spool(folder, SMALL)
        entries = make(2)
        spool.append(entries)
        with pytest.raises(SpoolError):
            spool.append(make(1_000))
        assert drain(spool) == ids(entries)

    def test_a_file_in_the_way(self, folder: Path) -> None:
        folder.parent.mkdir()
        folder.touch()
        spool = Spool(folder, AMPLE)
        assert not spool.pending
        message = r"spool in .*/spool cannot be written \(File exists\): let the service write there"
        with pytest.raises(SpoolError, match=message) as refused:
            spool.append(make(1))
        assert isinstance(refused.value.__cause__, OSError)
        folder.unlink()
        entries = make(1)
        spool.append(entries)
        assert drain(spool) == ids(entries)

    def test_a_file_system_without_locks(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def flock(file: FileIO, how: int) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr("fcntl.flock", flock)
        with pytest.raises(SpoolError, match="No locks available"):
            Spool(folder, AMPLE).append(make(1))
        assert segments(folder) == []

    def test_a_disk_that_takes_no_more_in_the_middle_of_an_append(self, folder: Path) -> None:
        with process("limited", folder, AMPLE) as child:
            assert child.stdout
            lines = list(child.stdout)
            assert child.wait() == 0
        [error] = [line for line in lines if line.startswith("error")]
        assert "cannot be written (File too large)" in error
        acknowledged = [word for line in lines if line != error for word in line.split()]
        assert len(segments(folder)) == 1
        assert segments(folder)[0].stat().st_size > spooling.LIMIT
        spool = Spool(folder, AMPLE)
        assert drain(spool) == acknowledged
        assert spool.state().set_aside == 0

    def test_a_full_disk(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "tests.support.spooling", "full", f"{tmp_path}/spool", str(AMPLE)]
        disk = small_disk(tmp_path, "128k")
        told = subprocess.run([*disk, *command], cwd=PROJECT, capture_output=True, text=True, check=True)
        error, outcome = told.stdout.splitlines()
        assert error.endswith("(No space left on device): make room on its disk")
        assert int(outcome.split()[0]) > 50
        assert outcome.split()[1:] == ["True", "True"]

    @pytest.mark.parametrize("before", [0, 3])
    def test_what_was_refused_is_not_replayed_after_a_restart(
        self, before: int, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.mkdir(parents=True)
        kept = make(before)
        spool = Spool(folder, AMPLE)
        spool.append(kept)
        failures = [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))]

        def fsync(number: int, fsync: Callable[[int], None] = os.fsync) -> None:
            if failures:
                raise failures.pop()
            fsync(number)

        monkeypatch.setattr("os.fsync", fsync)
        with pytest.raises(SpoolError, match="No space left"):
            spool.append(make(2))
        spool.close()
        assert len(segments(folder)) == (before > 0)
        assert drain(Spool(folder, AMPLE)) == ids(kept)

    @pytest.mark.parametrize("before", [0, 3])
    def test_what_was_refused_is_not_replayed_where_it_cannot_be_cut_off_either(
        self, before: int, spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.mkdir(parents=True)
        kept = make(before)
        spool.append(kept)

        def broken(*arguments: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", broken)
            patch.setattr("os.ftruncate", broken)
            with pytest.raises(SpoolError, match=r"\(Input/output error\)"):
                spool.append(make(2))
        more = make(2)
        spool.append(more)
        assert len(segments(folder)) == 1 + (before > 0)  # that place on the disk is not used again
        assert drain(spool) == ids([*kept, *more])


class Restarts(RuleBasedStateMachine):
    """A spool against a list: appends, replays, refusals and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.spool = Spool(self.folder, SMALL)
        self.waiting: list[str] = []
        self.written: set[str] = set()

    @rule(count=st.integers(1, 8), employees=st.integers(0, 3))
    def append(self, count: int, employees: int) -> None:
        entries = make(count, employees)
        try:
            self.spool.append(entries)
        except SpoolError:
            return
        self.waiting += ids(entries)

    @rule(at_most=st.integers(1, 30))
    def replay(self, at_most: int) -> None:
        assert self.spool.pending or not self.waiting
        self.spool.replay(self._write, at_most)

    def _write(self, entries: Sequence[Entry]) -> None:
        """Take what is new, as the database does."""
        new = [key for key in ids(entries) if key not in self.written]
        assert new == self.waiting[: len(new)]
        del self.waiting[: len(new)]
        self.written.update(new)

    @rule()
    def refusal(self) -> None:
        if self.spool.pending:
            with pytest.raises(DatabaseError):
                self.spool.replay(refuse)

    @rule(tail=st.binary(max_size=30))
    def restart(self, tail: bytes) -> None:
        """End and begin again; a torn line is what an append leaves that was killed."""
        self.spool.close()
        if found := segments(self.folder):
            with found[-1].open("ab") as file:
                file.write(tail.replace(b"\n", b""))
        self.spool = Spool(self.folder, SMALL)

    @invariant()
    def all_is_there(self) -> None:
        state = self.spool.state()
        assert len(self.waiting) <= state.records <= len(self.waiting) + len(self.written)
        assert state.set_aside == 0
        assert state.bytes <= SMALL + 30 * len(segments(self.folder))

    def teardown(self) -> None:
        while self.spool.pending:
            self.spool.replay(self._write)
        assert self.waiting == []
        assert segments(self.folder) == []
        self.spool.close()
        shutil.rmtree(self.folder)


TestRestarts = Restarts.TestCase
TestRestarts.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
