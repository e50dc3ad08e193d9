"""Draw the house and the architecture from the code into the docs: `make house`.

With --check, write nothing, and fail where a drawing is old.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from churn.core.language import Language
from scripts import architecture, house
from scripts.drawn import Drawing

PROJECT = house.PROJECT
PAGES: Mapping[Language, Path] = {
    "en": PROJECT / "docs" / "architecture.md",
    "fr": PROJECT / "docs" / "fr" / "architecture.md",
}


def drawings() -> Iterator[Drawing]:
    """Yield every drawing, as the code is now.

    Raises:
        ValueError: rooms import each other in a circle.
    """
    yield Drawing(PROJECT / "CONTRIBUTING.md", "rooms", house.drawing())
    for language, page in PAGES.items():
        yield Drawing(page, "a request", architecture.request_path())
        yield Drawing(page, "routes", architecture.route_table(language))
        yield Drawing(page, "tables", architecture.table_diagram())


def main() -> int:
    """Write the drawings, or say which are old."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    try:
        old = [one for one in drawings() if not one.is_current]
    except ValueError as error:
        print(f"the house cannot be drawn: {error}", file=sys.stderr)
        return 1
    for one in old:
        if check:
            print(f"{one.page.name}: the drawing of the {one.name} is old: run `make house`", file=sys.stderr)
        else:
            one.write()
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
