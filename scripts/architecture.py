"""What a request passes, the routes and the tables, drawn from the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, Table

from churn.core.language import Language
from churn.database.tables import metadata
from churn.web.routes import ROUTES, Route

PROJECT = Path(__file__).parents[1]
SERVICE = PROJECT / "churn" / "service.py"

# What a column that names another table's row is called. The journal has no foreign keys to read this from.
NAMES_ROW_OF = {
    "request_id": "requests",
    "batch_id": "journal_batches",
    "prediction_id": "prediction_results",
    "user_id": "users",
}
# One prediction is a row in each of these, under one id.
PREDICTION = ("employee_inputs", "features", "prediction_results")

HEADINGS = {
    "en": "| Path | Methods | Who | Logged | Answers within |",
    "fr": "| Chemin | Méthodes | Qui | Journalisé | Répond en moins de |",
}
WORDS = {
    "en": {"open": "anyone", "local": "this machine", "known": "anyone known", "yes": "yes"},
    "fr": {"open": "tous", "local": "cette machine", "known": "toute personne connue", "yes": "oui"},
}


def request_path() -> str:
    """Return the drawing of what a request passes, from the outside in."""
    passed = ["caller", *_middlewares(), "BentoML and the mounted pages"]
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'  n{at}["{name}"]' for at, name in enumerate(passed)]
    lines += [f"  n{at} --> n{at + 1}" for at in range(len(passed) - 1)]
    return "\n".join([*lines, "```"])


def _middlewares() -> Iterator[str]:
    """Yield the names of the middlewares in the order in which the Service adds them, the outermost first."""
    for node in ast.parse(SERVICE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if isinstance(call.func, ast.Attribute) and call.func.attr == "add_asgi_middleware":
                yield ast.unparse(call.args[0])


def route_table(language: Language) -> str:
    """Return the table of all routes."""
    rows = [_route_row(route, language) for route in ROUTES.routes]
    return "\n".join([HEADINGS[language], "|---|---|---|---|---|", *rows])


def _route_row(route: Route, language: Language) -> str:
    words = WORDS[language]
    scopes = [f"`{scope}`" for scope in (route.scope, route.or_scope) if scope]
    who = [words["open"]] if route.is_open else scopes or [words["known"]]
    who += [words["local"]] if route.is_open_locally else []
    logged = words["yes"] if route.is_journalled else ""
    within = f"{route.deadline:g} s" if route.deadline else ""
    return f"| `{route.path}` | {', '.join(route.methods)} | {', '.join(who)} | {logged} | {within} |"


def table_diagram() -> str:
    """Return the diagram of the tables: their columns, and which row names which."""
    lines = ["```mermaid", "erDiagram"]
    for table in metadata.sorted_tables:
        lines += [f"  {table.name} {{", *map(_column_line, table.columns), "  }"]
    for table in metadata.sorted_tables:
        lines += _relations(table)
    lines += [f'  {PREDICTION[0]} ||--|| {other} : "same id"' for other in PREDICTION[1:]]
    return "\n".join([*lines, "```"])


def _column_line(column: Column[object]) -> str:
    kind = type(column.type).__name__
    key = (
        " PK"
        if column.primary_key
        else " UK"
        if column.unique
        else " FK"
        if column.name in NAMES_ROW_OF
        else ""
    )
    return f"    {kind} {column.name}{key}" + (' "may be empty"' if column.nullable else "")


def _relations(table: Table) -> Iterator[str]:
    for column in table.columns:
        if other := NAMES_ROW_OF.get(column.name):
            many = "o|" if column.primary_key else "o{"
            yield f"  {other} ||--{many} {table.name} : {column.name}"
