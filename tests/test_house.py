"""What no linter holds of the structure; floors and territories are contracts in pyproject.toml."""

import ast
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

# Files that are named as what people type: a command, a route.
AS_TYPED = ("churn.cli", "churn.web.endpoints")


def modules() -> dict[str, Path]:
    files = [*PROJECT.glob("churn/**/*.py"), PROJECT / "service.py", PROJECT / "train_export.py"]
    return {
        ".".join(f.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): f for f in files
    }


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_file_is_one_noun(module: str) -> None:
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) <= 300


def test_a_name_means_one_module() -> None:
    names = Counter(
        module.rpartition(".")[2]
        for module, path in modules().items()
        if within(module, ("churn",)) and path.name != "__init__.py" and not within(module, AS_TYPED)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_serving_imports_neither_files_nor_training() -> None:
    reached, waiting = set(), ["service"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += imports(modules()[module]) & set(modules())
    assert "churn.model.scoring" in reached
    assert not {
        m
        for m in reached
        if within(m, ("churn.ingest", "churn.training", "churn.model.pipeline", "churn.cli"))
    }
