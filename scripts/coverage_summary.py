"""Print the coverage that `make test` measured, by room, as a Markdown table."""

import json
import sys
from collections import Counter
from pathlib import Path

MEASURED = Path(".coverage.json")


def main() -> int:
    """Print the table; return 1 where nothing was measured."""
    if not MEASURED.exists():
        print(f"{MEASURED} is missing: run `make test`, without TESTS", file=sys.stderr)
        return 1
    covered: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for file, found in json.loads(MEASURED.read_text(encoding="utf-8"))["files"].items():
        of_package = Path(file).parts[1:]
        room = of_package[0] if len(of_package) > 1 else Path(file).stem
        for key in (room, "**all**"):
            covered[key] += found["summary"]["covered_lines"]
            missing[key] += found["summary"]["missing_lines"]
    print("| room | lines | covered |", "|---|---|---|", sep="\n")
    for key in sorted(covered):
        lines = covered[key] + missing[key]
        print(f"| {key} | {lines} | {covered[key] / lines if lines else 1:.1%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
