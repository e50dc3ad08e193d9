"""The service beside that of another checkout of this project: how much faster or slower it is.

python -m benchmarks.bench_beside CHECKOUT [--data DIR] [--short]

The other checkout is installed (`make install-dev`). Both are measured in pairs (`benchmarks.paired`). The
last line is one JSON object.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.paired import Pair, PairedFigure, measure_pairs, paired_figure
from benchmarks.serving import CLIENTS, POSTGRESQL, SQLITE, Servers, parser_of

BAR = 0.97  # the least share of the other's throughput
# (full, short)
SECONDS, PAIRS, STARTS = (1.0, 0.3), (8, 2), (5, 1)
KINDS = ((POSTGRESQL, SQLITE), (SQLITE,))
NAMES = ("ours", "the other")

Place = tuple[str, int]  # kind of database, clients


def main() -> None:
    """Start the servers, measure them in pairs, print a table and the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("checkout", type=Path, help="the other one, installed")
    options = parser.parse_args()
    with ExitStack() as stack:
        servers = Servers(stack, options.data)
        measured = _measured(servers, options.checkout.absolute(), short=options.short)
    figures = {place: paired_figure(found) for place, found in measured.items()}
    _tell(figures)
    print(json.dumps(_flat(figures)))


def _measured(servers: Servers, checkout: Path, *, short: bool) -> dict[Place, list[list[Pair]]]:
    """Return what ours and the other answered a second, pair by pair, start by start."""
    kinds = KINDS[short]
    measured: dict[Place, list[list[Pair]]] = {(kind, clients): [] for kind in kinds for clients in CLIENTS}
    with Progress(console=Console(stderr=True)) as progress:
        for _ in progress.track(range(STARTS[short]), description="Starting and measuring"):
            with servers.stopped():
                both = {kind: (servers.churn(kind), servers.churn(kind, checkout)) for kind in kinds}
                for (kind, clients), found in measured.items():
                    found.append(
                        measure_pairs(both[kind], NAMES, clients, pairs=PAIRS[short], seconds=SECONDS[short])
                    )
    return measured


def _tell(figures: Mapping[Place, PairedFigure]) -> None:
    table = Table(title=f"One worker; bar: {BAR} of the other checkout's throughput")
    for heading in ("", "clients", "ours a second", "other", "ratio", "± error", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for (kind, clients), one in figures.items():
        verdict = "met" if one.ratio >= BAR else "MISSED"
        speeds = (f"{one.first:,.0f}", f"{one.other:,.0f}", f"{one.ratio:.3f}", f"{one.error:.3f}")
        table.add_row(kind, str(clients), *speeds, verdict)
    Console(width=110).print(table)


def _flat(figures: Mapping[Place, PairedFigure]) -> dict[str, float]:
    """Return every figure by a name of its own."""
    flat: dict[str, float] = {}
    for (kind, clients), one in figures.items():
        place = f"{kind.lower()}_{clients}"
        flat[f"{place}_per_second"] = round(one.first, 1)
        flat[f"{place}_other_per_second"] = round(one.other, 1)
        flat[f"{place}_over_other"] = round(one.ratio, 3)
        flat[f"{place}_error"] = round(one.error, 3)
    return flat


if __name__ == "__main__":
    main()
