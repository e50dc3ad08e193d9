"""An upload: the files of a job as they come, part by part, onto the disk."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from churn.core.errors import FieldError, InvalidInputError, PayloadTooLargeError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.extract_names import is_named

MAX_BYTES: Final = 200 * 1024**2  # of all files of a job
MAX_FILES: Final = 10  # more are none of ours
# What a file may be called, and what it is read as: a .txt or .tsv of tabs is a CSV file, too.
SUFFIXES: Final = {
    **{name: name for name in (".csv", ".xlsx", ".ods", ".parquet")},
    **dict.fromkeys((".txt", ".tsv"), ".csv"),
}
_REFUSED: Final = {".xls": "file_old_excel", ".xlsm": "file_macros", ".xlsb": "file_macros"}
_SINGLE: Final = "employees"


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    stem: str  # as the caller's file is called


class Upload:
    """Writes the files of a job into a folder. Their names are ours: what callers call them is kept nowhere.

    A single file may have any name; several are the extracts, by their names.
    """

    def __init__(self, folder: Path, dictionary: Dictionary) -> None:
        self._folder, self._dictionary = folder, dictionary
        self._files: list[_File] = []
        self._open: BinaryIO | None = None
        self._size = 0

    def begin(self, name: str) -> None:
        """Begin a file.

        Raises:
            InvalidInputError: its name says that it cannot be read, or there are too many.
        """
        self.end()
        stem, suffix = os.path.splitext(name.lower().replace("\\", "/").rpartition("/")[2])  # noqa: PTH122
        if suffix not in SUFFIXES:
            raise refused(_REFUSED.get(suffix, "file_format"))
        if len(self._files) >= MAX_FILES:
            raise refused("extract_files")
        path = self._folder / f"{len(self._files)}{SUFFIXES[suffix]}"
        self._files.append(_File(path, stem))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._open = os.fdopen(descriptor, "wb")

    def write(self, part: bytes) -> None:
        """Take some more of the file that was begun last.

        Raises:
            PayloadTooLargeError: there are too many bytes.
        """
        self._size += len(part)
        if self._size > MAX_BYTES:
            raise PayloadTooLargeError(MAX_BYTES, "byte")
        if self._open is not None:
            self._open.write(part)

    def end(self) -> None:
        """End the file that was begun last."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def finish(self) -> None:
        """Give the files the names by which they are read.

        Raises:
            InvalidInputError: there is none, one is empty, or they are several and not the extracts.
        """
        self.end()
        if not self._files:
            raise refused("file_missing")
        if any(not file.path.stat().st_size for file in self._files):
            raise refused("file_empty")
        if len(self._files) == 1:
            [file] = self._files
            file.path.rename(self._folder / f"{_SINGLE}{file.path.suffix}")
            return
        names = [one.file for one in self._dictionary.extracts]
        meant = [next((name for name in names if is_named(file.stem, name)), "") for file in self._files]
        if sorted(meant) != sorted(names):
            raise refused("extract_files")
        for file, name in zip(self._files, meant, strict=True):
            file.path.rename(self._folder / f"{name}{file.path.suffix}")


def refused(kind: str) -> InvalidInputError:
    """Return the refusal of a file."""
    return InvalidInputError([FieldError(("body", "file"), kind)])
