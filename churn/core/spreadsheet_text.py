"""Texts that spreadsheets open: none of them becomes a formula, and their encoding is known."""

from typing import Final

FORMULA_BEGIN: Final = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK: Final = (
    "\N{ZERO WIDTH NO-BREAK SPACE}"  # French Excel takes UTF-8 without it for Windows-1252
)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_BEGIN) else text
