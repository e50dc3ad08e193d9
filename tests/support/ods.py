"""OpenDocument spreadsheets, as LibreOffice writes them, cell by cell."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

_URN = "urn:oasis:names:tc:opendocument:xmlns"
_NAMESPACES = " ".join(f'xmlns:{one}="{_URN}:{one}:1.0"' for one in ("office", "table", "text", "style"))
HIDDEN = (
    '<style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/>'
    "</style:style>"
)


def cell(value: object = "", **attributes: object) -> str:
    """Return a cell; attributes are the table's, with "_" for "-"."""
    extra = "".join(f" table:{name.replace('_', '-')}={quoteattr(str(v))}" for name, v in attributes.items())
    if value == "" or value is None or value != value:
        return f"<table:table-cell{extra}/>"
    if isinstance(value, int | float):
        return typed("float", f'office:value="{value}"', str(value), extra)
    return typed("string", "", str(value), extra)


def percentage(fraction: float) -> str:
    """Return a cell whose number is shown as a percentage."""
    return typed("percentage", f'office:value="{fraction}"', f"{fraction:.0%}")


def typed(kind: str, value: str, text: str, extra: str = "") -> str:
    """Return a cell of a type, with its value's attribute and what is shown."""
    shown = "".join(f"<text:p>{escape(line)}</text:p>" for line in text.split("\n"))
    return f'<table:table-cell office:value-type="{kind}" {value}{extra}>{shown}</table:table-cell>'


def row(cells: Sequence[str], **attributes: object) -> str:
    """Return a row; the attributes are as a cell's."""
    extra = "".join(f' table:{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<table:table-row{extra}>{''.join(cells)}</table:table-row>"


def rows_of(table: pd.DataFrame) -> list[str]:
    """Return the header and the rows of a table."""
    values = [list(table.columns), *table.astype(object).to_numpy().tolist()]
    return [row([cell(value) for value in line]) for line in values]


def sheet(rows: Sequence[str], name: str = "Sheet1", style: str = "") -> str:
    """Return a sheet, with the empty cells to its right and below that LibreOffice adds."""
    below = row([cell(number_columns_repeated=16_384)], number_rows_repeated=1_048_000)
    attributes = f'table:name="{name}"' + f' table:style-name="{style}"' * bool(style)
    return f"<table:table {attributes}><table:table-column/>{''.join(rows)}{below}</table:table>"


def document(sheets: Sequence[str], before: str = "") -> str:
    """Return the content of a file; `before` comes before its root."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {_NAMESPACES}>'
        f"<office:automatic-styles>{HIDDEN}</office:automatic-styles><office:body><office:spreadsheet>"
        f"{''.join(sheets)}</office:spreadsheet></office:body></office:document-content>"
    )


def packed(path: Path | io.BytesIO, content: str, parts: Mapping[str, str] | None = None) -> None:
    """Write a file with its content and other parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        for name, text in (parts or {"META-INF/manifest.xml": "<manifest/>"}).items():
            archive.writestr(name, text)


def content_of(table: pd.DataFrame) -> bytes:
    """Return a table as the bytes of a file."""
    file = io.BytesIO()
    packed(file, document([sheet(rows_of(table))]))
    return file.getvalue()


def written(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as a file of one sheet."""
    path.write_bytes(content_of(table))
    return path
