"""The parts of the docs that are drawn from the code: between two comments, and never by hand."""

from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- drawn by `make house` ({}) -->", "<!-- end of the drawing -->"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing as Markdown, and the page and place where it belongs."""

    page: Path
    name: str
    markdown: str

    @property
    def is_current(self) -> bool:
        """Whether the page shows this very drawing."""
        return self._redrawn() == self.page.read_text(encoding="utf-8")

    def write(self) -> None:
        """Put it into its page, in the place of an older one."""
        self.page.write_text(self._redrawn(), encoding="utf-8")

    def _redrawn(self) -> str:
        before, begin, rest = self.page.read_text(encoding="utf-8").partition(BEGIN.format(self.name))
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise ValueError(f"{self.page.name} has no place for the drawing {self.name!r}")
        return f"{before}{begin}\n\n{self.markdown}\n\n{end}{after}"
