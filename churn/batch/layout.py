"""How the files of a run are laid out: as programs read them, or as people's spreadsheets do."""

from dataclasses import dataclass
from typing import Final

from churn.core.language import Language
from churn.core.spreadsheet_text import BYTE_ORDER_MARK


@dataclass(frozen=True, slots=True)
class Layout:
    """What a text file looks like.

    `language` is that of its headings, None where they are the API's names. `is_harmless` has no text that a
    spreadsheet would take for a formula.
    """

    language: Language | None = None
    is_harmless: bool = False

    @property
    def delimiter(self) -> str:
        """What parts values: French spreadsheets expect semicolons, as commas part their decimals."""
        return ";" if self.language == "fr" else ","

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma parts decimals."""
        return self.language == "fr"

    @property
    def begin(self) -> str:
        """What the file begins with."""
        return BYTE_ORDER_MARK if self.language == "fr" else ""


PLAIN: Final = Layout()
