"""The rooms of the package and who imports whom, drawn from the imports."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[1]

Arrows = Mapping[str, frozenset[str]]


def files() -> Iterator[tuple[str, Path]]:
    """Yield each room with each of its files: a folder or file of `churn`, or a script beside it."""
    for path in sorted(PROJECT.glob("churn/*/**/*.py")):
        yield path.relative_to(PROJECT).parts[1], path
    for path in sorted(PROJECT.glob("churn/*.py")):
        if path.stem != "__init__":
            yield path.stem, path
    for name in ("service.py", "train_export.py"):
        yield name, PROJECT / name


def arrows() -> Arrows:
    """Return which rooms each room imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for room, path in files():
        found[room] |= {name for name in _imported(path) if name != room}
    return {room: frozenset(others & found.keys()) for room, others in found.items()}


def _imported(path: Path) -> Iterator[str]:
    """Yield the rooms that a file's imports name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "churn":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("churn."):
            yield str(node.module).split(".")[1]


def floors(graph: Arrows) -> dict[str, int]:
    """Return each room's floor: 0 where it imports no other, else one above the highest that it imports.

    Raises:
        ValueError: rooms import each other in a circle.
    """
    found: dict[str, int] = {}
    while len(found) < len(graph):
        ready = [room for room in graph if room not in found and graph[room] <= found.keys()]
        if not ready:
            raise ValueError(f"a circle among {', '.join(sorted(graph.keys() - found.keys()))}")
        found |= {room: 1 + max((found[below] for below in graph[room]), default=-1) for room in ready}
    return found


def _reached(graph: Arrows, room: str) -> set[str]:
    return set(graph[room]).union(*(_reached(graph, below) for below in graph[room]))


def _needed(graph: Arrows, room: str) -> set[str]:
    """Return the rooms that a room imports and reaches in no longer way."""
    return set(graph[room]).difference(*(_reached(graph, below) for below in graph[room]))


def _purpose(room: str) -> str:
    path = PROJECT / room if room.endswith(".py") else PROJECT / "churn" / room / "__init__.py"
    path = path if path.exists() else PROJECT / "churn" / f"{room}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].removesuffix(".")


def drawing() -> str:
    """Return the drawing as Markdown: the fewest arrows, then every room with all that it imports."""
    graph = arrows()
    floor = floors(graph)
    rooms = sorted(graph, key=lambda room: (-floor[room], room))
    lines = ["```mermaid", "flowchart TD"]
    for room in rooms:
        lines += [f"  {_node(room)} --> {_node(below)}" for below in sorted(_needed(graph, room))]
    total = sum(len(below) for below in graph.values())
    told = f"{len(graph)} rooms, {total} arrows; the drawing leaves out those that a longer way shows."
    lines += ["```", "", told, ""]
    lines += ["| floor | room | what | imports |", "|---|---|---|---|"]
    lines += [
        f"| {floor[room]} | `{room}` | {_purpose(room)} | {', '.join(sorted(graph[room])) or '–'} |"
        for room in rooms
    ]
    return "\n".join(lines)


def _node(room: str) -> str:
    return f'{room.replace(".", "_")}["{room}"]' if room.endswith(".py") else room
