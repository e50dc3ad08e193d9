"""The structure: five floors and the edges on top, imports pointing down."""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

# By the longest prefix. The edges join the floors; among themselves, later ones may import earlier ones.
FLOORS = {
    "churn": -1,
    "churn.domain": 0,
    "churn.names": 0.25,
    "churn.expectations": 0.25,
    "churn.errors": 0,
    "churn.atomic": 0,
    "churn.memory": 0,
    "churn.operator": 0,
    "churn.secret_files": 0.25,
    "churn.settings": 0.5,
    "churn.records": 0.75,
    "churn.schemas": 1,
    "churn.answers": 1,
    "churn.phrases": 1,
    "churn.scorecard": 1,
    "churn.extracts": 2,
    "churn.sample": 2,
    "churn.columns": 2,
    "churn.pipeline": 2,
    "churn.golden": 2.5,
    "churn.training": 3,
    "churn.registry": 3,
    "churn.storage": 3,
    "churn.migrations": 3.5,
    "churn.scoring": 3.5,
    "churn.batch": 3.5,
    "churn.report": 3.5,
    "churn.what_if": 3.75,
    "churn.card": 3.75,
    "churn.replay": 3.75,
    "churn.access": 4,
    "churn.web": 4,
    "churn.preflight": 5,
    "churn.offload": 5,
    "churn.supervisor": 5,
    "churn.upkeep": 5,
    "churn.cli": 6,
    "service": 7,
    "train_export": 7,
}

# Where each third-party library may be spoken to.
TERRITORIES = {
    "pandas": (
        "churn.extracts",
        "churn.sample",
        "churn.pipeline",
        "churn.columns",
        "churn.batch",
        "churn.training",
        "churn.cli.model",
        "churn.cli.train",
    ),
    "fairlearn": ("churn.training.fairness",),
    "interpret": ("churn.training.challengers",),
    "jinja2": ("churn.report", "churn.web.landing"),
    "markupsafe": ("churn.report",),
    "matplotlib": ("churn.report",),
    "yaml": ("churn.registry.listing", "churn.report"),
    "pyarrow": ("churn.extracts", "churn.columns", "churn.batch"),
    "sklearn": ("churn.pipeline", "churn.golden", "churn.training", "churn.registry"),
    "scipy": ("churn.pipeline", "churn.sample", "churn.training"),
    "sqlalchemy": (
        "churn.storage",
        "churn.migrations",
        "churn.access",
        "churn.preflight",
        "churn.upkeep",
        "churn.cli",
        "service",
    ),
    "alembic": ("churn.storage", "churn.migrations"),
    "starlette": ("churn.access", "churn.web", "service"),
    "bentoml": ("churn.registry", "churn.supervisor", "service"),
    "pydantic": ("churn.schemas", "churn.answers", "churn.settings", "churn.web.intake", "churn.web.openapi"),
    "click": ("churn.cli",),
    "rich": ("churn.cli",),
    "bcrypt": ("churn.access.passwords",),
    "prometheus_client": ("churn.web.metrics",),
    "uvicorn": ("churn.web.protocol",),
}


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


def home(module: str) -> str:
    """Return the entry of FLOORS that a module belongs to."""
    return max((place for place in FLOORS if within(module, (place,))), key=len)


def test_every_module_has_a_floor_of_its_own() -> None:
    assert {module for module in modules() if home(module) == "churn"} == {"churn"}


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_down(module: str) -> None:
    for imported in imports(modules()[module]) & set(modules()):
        if home(imported) != home(module):
            assert FLOORS[home(imported)] < FLOORS[home(module)], f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_libraries_stay_on_their_floor(module: str) -> None:
    for imported in imports(modules()[module]):
        library = imported.partition(".")[0]
        if library in TERRITORIES:
            assert within(module, TERRITORIES[library]), f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_file_is_one_noun(module: str) -> None:
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) <= 300


def test_serving_imports_neither_extracts_nor_training() -> None:
    reached, waiting = set(), ["service"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += imports(modules()[module]) & set(modules())
    assert "churn.scoring" in reached
    assert not {
        m for m in reached if within(m, ("churn.extracts", "churn.training", "churn.pipeline", "churn.cli"))
    }
