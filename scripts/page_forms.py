"""The pages' forms and addresses as an OpenAPI document, by which they are fuzzed as the API is by its."""

from collections.abc import Mapping, Sequence
from typing import Any

from churn.dictionary.technova import TECHNOVA
from churn.schemas.review import ACTIONS, VERDICTS
from churn.web.routes import PART, ROUTES, Route

LEFT_OUT = ("/sign-out",)  # nobody would be signed in afterwards
QUERIES = (
    *("lang", "example", "next", "kind", "format"),
    *("page", "sort", "order", "only", "search"),
    *("employee_id", "user", "model", "prediction", "since", "until", "before", "mine"),
)
_TEXT: Mapping[str, Any] = {"type": "string", "maxLength": 200}
_EMPLOYEE = {
    field.name: [*field.categories, str(TECHNOVA.example.get(field.name, 3))] for field in TECHNOVA.inputs
}
_FORMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "/sign-in": {"username": ["root"], "password": [], "next": ["app/employee"]},
    "/app/employee": _EMPLOYEE,
    "/app/what-if": {
        **_EMPLOYEE,
        **{f"before.{name}": values for name, values in _EMPLOYEE.items()},
        "apply": ["revenu_mensuel=4000", "poste="],
        "restart": ["1"],
    },
    "/app/history/{id}/review": {"verdict": VERDICTS, "action": ACTIONS, "comment": []},
    "/app/file/{id}": {"action": ["score", "cancel"]},
    "/app/admin": {
        "action": [
            "add-user",
            "set-password",
            "set-role",
            "enable",
            "disable",
            "issue-token",
            "revoke-token",
            "end-session",
        ],
        "name": ["paul"],
        "password": ["correct horse battery"],
        "role": ["analyst", "admin"],
        "days": ["90"],
        "scope-predict": ["on"],
        "id": [],
    },
}
_UPLOAD = {
    "multipart/form-data": {
        "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    }
}
_EVENTS = "/ui/gradio_api/run/predict"
_EVENT = {"fn_index": {"enum": [0, 1]}, "data": {"type": "array", "items": _TEXT}}


def document(tokens: tuple[str, str], ids: Sequence[str]) -> dict[str, Any]:
    """Return the document; `tokens` are of the sign-in and of a session's forms, `ids` of what there is."""
    routes = [
        one for one in ROUTES.routes if one.is_page and not one.is_cacheable and one.path not in LEFT_OUT
    ]
    return {
        "openapi": "3.1.0",
        "info": {"title": "pages", "version": "1"},
        "paths": {
            route.path: {method.lower(): _operation(route, method, tokens, ids) for method in route.methods}
            for route in routes
        },
    }


def _operation(route: Route, method: str, tokens: tuple[str, str], ids: Sequence[str]) -> dict[str, Any]:
    parts = {"file": _TEXT, "id": {"anyOf": [{"enum": [*ids]}, {"type": "string", "format": "uuid"}]}}
    parameters = [_parameter("path", name, parts[name]) for name in PART.findall(route.path)]
    operation: dict[str, Any] = {"responses": {"default": {"description": "a page"}}}
    if method == "GET" or route.path == "/app/file":
        parameters += [_parameter("query", name, _TEXT) for name in QUERIES]
    if method == "POST":
        operation["requestBody"] = {"content": _body(route.path, tokens)}
        if route.path == "/app/file":
            parameters.append(_parameter("query", "csrf", {"enum": [tokens[1]]}))
    return {**operation, "parameters": parameters}


def _parameter(place: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"in": place, "name": name, "required": place == "path" or name == "csrf", "schema": schema}


def _body(path: str, tokens: tuple[str, str]) -> dict[str, Any]:
    if path == "/app/file":
        return _UPLOAD
    if path == _EVENTS:
        return {"application/json": {"schema": {"type": "object", "properties": _EVENT}}}
    fields = {
        name: {"anyOf": [_TEXT, *([{"enum": [*values]}] if values else [])]}
        for name, values in _FORMS[path].items()
    }
    schema = {
        "type": "object",
        "properties": {**fields, "csrf": {"enum": [tokens[path != "/sign-in"]]}},
        "required": ["csrf"],
    }
    return {"application/x-www-form-urlencoded": {"schema": schema}}
