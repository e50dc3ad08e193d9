"""Archives: a .zip of one table or of the extracts, or one table as .gz; unpacked while it is read."""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from churn.core.errors import ExtractError, Problem
from churn.i18n import no_table_sentences
from churn.ingest.file_kind import suffix_by_content

MAX_UNPACKED: Final = 4 * 1024**3  # bytes of all tables
MAX_FILES: Final = 20
_SUFFIXES: Final = (".csv", ".txt", ".tsv", ".xlsx", ".ods", ".parquet")
_GZIP: Final = b"\x1f\x8b"
_COPIED: Final = 1 << 20  # bytes at a time


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield the table that an archive holds, or a folder of its tables; any other path as it is.

    Raises:
        ExtractError: the archive cannot be read, holds no table, or too much.
    """
    is_zip = path.is_file() and zipfile.is_zipfile(path) and suffix_by_content(path) is None
    if not is_zip and not _is_gzip(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="churn-unpacked-") as folder:
        try:
            found = _of_zip(path, Path(folder)) if is_zip else _of_gzip(path, Path(folder))
        except (
            OSError,
            EOFError,
            RuntimeError,
            zlib.error,
            zipfile.BadZipFile,
            NotImplementedError,
        ) as error:
            raise _refused(path, no_table_sentences.AN_OPEN_ARCHIVE) from error
        yield found


def _of_zip(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        tables = [one for one in archive.infolist() if _is_table(one.filename)]
        names = {PurePosixPath(one.filename).name for one in tables}
        too_much = len(tables) > MAX_FILES or sum(one.file_size for one in tables) > MAX_UNPACKED
        if not tables or too_much or len(names) < len(tables):
            raise _refused(path, no_table_sentences.AN_ARCHIVE_OF_TABLES)
        for one in tables:
            with archive.open(one) as file:
                _copy(path, file, folder / PurePosixPath(one.filename).name)
    return folder / names.pop() if len(names) == 1 else folder


def _of_gzip(path: Path, folder: Path) -> Path:
    if not _is_table(path.stem):
        raise _refused(path, no_table_sentences.AN_ARCHIVE_OF_TABLES)
    with gzip.open(path) as file:
        _copy(path, file, folder / path.stem)
    return folder / path.stem


def _copy(path: Path, file: IO[bytes] | gzip.GzipFile, to: Path) -> None:
    """Copy a table out of an archive, whatever the archive says about its size."""
    left = MAX_UNPACKED
    with to.open("wb") as copy:
        while part := file.read(_COPIED):
            left -= len(part)
            if left < 0:
                raise _refused(path, no_table_sentences.AN_ARCHIVE_OF_TABLES)
            copy.write(part)


def _is_table(name: str) -> bool:
    """Return whether a name in an archive is a table's; not what macOS and editors add."""
    pure = PurePosixPath(name)
    return pure.suffix.lower() in _SUFFIXES and not any(part.startswith((".", "__")) for part in pure.parts)


def _is_gzip(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def _refused(path: Path, expected: str) -> ExtractError:
    return ExtractError([Problem(path.name, None, None, None, expected)])
