"""What a file is, by its first bytes, whatever its name says."""

import re
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from churn.i18n import no_table_sentences

_HEAD = 4096  # bytes
_ZIP, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_OTHERS = (
    (b"\x1f\x8b", no_table_sentences.NO_ARCHIVE),
    (b"7z\xbc\xaf", no_table_sentences.NO_ARCHIVE),
    (b"Rar!", no_table_sentences.NO_ARCHIVE),
    (b"%PDF", no_table_sentences.NO_DOCUMENT),
    (b"{\\rtf", no_table_sentences.NO_DOCUMENT),
    (b"SQLite format 3\0", no_table_sentences.NO_DATABASE),
    (b"version https://git-lfs", no_table_sentences.NO_POINTER),
)
# Of documents that are archives, a part that tells which.
_PARTS = {
    "xl/workbook.xml": ".xlsx",
    "xl/workbook.bin": ".xlsb",
    "word/document.xml": ".docx",
    "content.xml": ".ods",
    "Index/Document.iwa": ".numbers",
}
_WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|table|\?xml|!--)", re.IGNORECASE)
_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{\s*\"|\[\s*[\[{])")
_CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


def suffix_by_content(path: Path) -> str | None:
    """Return the suffix of a workbook, a Parquet file or another document by its content; else None."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PAR1"):
        return ".parquet"
    if head.startswith(_COMPOUND):
        return ".xls"
    return _of_zip(path) if head.startswith(_ZIP) else None


def no_table(path: Path) -> str | None:
    """Return what a file is instead of a table, as an expectation; None where it may be one."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for begin, expected in _OTHERS:
        if head.startswith(begin):
            return expected
    if head.startswith(_ZIP):
        return no_table_sentences.NO_ARCHIVE
    if _WEB_PAGE.match(head):
        return no_table_sentences.NO_WEB_PAGE
    if _JSON.match(head):
        return no_table_sentences.NO_JSON
    return no_table_sentences.NO_CONFLICT if _CONFLICT.search(head) else None


def _of_zip(path: Path) -> str | None:
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except BadZipFile:
        return None
    return next((suffix for part, suffix in _PARTS.items() if part in names), None)
