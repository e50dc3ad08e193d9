"""The encoding of a text file: told by its first bytes, or by the first that are not ASCII."""

import codecs
import re
from pathlib import Path

from churn.core.errors import ExtractError, Problem
from churn.i18n import file_sentences, no_table_sentences

UTF_8, UTF_16, WINDOWS = "utf-8-sig", "utf-16", "cp1252"
SCANNED = 1 << 20  # bytes at a time

_UTF_8_PAIR = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
# Accents of DOS and of old Macs inside words, where Windows-1252 has signs and capitals.
_OTHER_ACCENTS = re.compile(rb"[A-Za-z][\x82\x83\x85\x87-\x8a\x8d-\x90\x9d][a-z(]")


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file, as Python calls it: UTF-8, UTF-16 or Windows-1252.

    Raises:
        ExtractError: it is another one, or no text at all.
    """
    with path.open("rb") as file:
        part = file.read(SCANNED)
        if part.startswith(codecs.BOM_UTF8):
            return UTF_8
        if part.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return UTF_16
        if b"\0" in part:
            return _without_mark(path, part)
        while part.isascii() and (more := file.read(SCANNED)):
            part = part[-4:] + more
    try:
        codecs.getincrementaldecoder("utf-8")().decode(part)
    except UnicodeDecodeError as error:
        # Some accents in UTF-8 and some not: a damaged file, whose line is named where it is read.
        return UTF_8 if _UTF_8_PAIR.search(part) else _windows(path, part, error)
    return UTF_8


def _without_mark(path: Path, part: bytes) -> str:
    """Return which UTF-16 has zeros at every second byte, as Latin letters do."""
    for encoding, zeros in (("utf-16-le", part[1::2]), ("utf-16-be", part[::2])):
        if zeros.count(0) > 0.9 * len(zeros):
            return encoding
    raise _refused(path, no_table_sentences.A_TABLE_OF_TEXT)


def _windows(path: Path, part: bytes, error: UnicodeDecodeError) -> str:
    try:
        part.decode(WINDOWS)
    except UnicodeDecodeError:
        raise _refused(path, file_sentences.ANOTHER_ENCODING) from error
    if _OTHER_ACCENTS.search(part):
        raise _refused(path, file_sentences.ANOTHER_ENCODING) from error
    return WINDOWS


def _refused(path: Path, expected: str) -> ExtractError:
    return ExtractError([Problem(path.name, None, None, None, expected)])
