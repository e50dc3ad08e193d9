"""The OpenAPI document: made from the models, the table of routes and the operations."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

import churn
from churn.i18n import refusal_sentences
from churn.schemas.employee import RequestModels
from churn.schemas.outcome import OutcomesInput
from churn.schemas.review import ReviewInput
from churn.schemas.service_answers import InvalidInput, Refusal
from churn.web.openapi import spellings
from churn.web.openapi.operations import OPERATIONS, Operation, refusals
from churn.web.routes import PART, PARTS, ROUTES, Route

_WORDS = re.compile(r"\W+")
_JSON = "application/json"
_ROUTES = [route for route in ROUTES.routes if route.is_documented]
_SCHEMES: dict[str, Any] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "People: a user's name and password. Its scopes are those of the user's role.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "churn_…",
        "description": "Programs: a token, made by `churn token issue NAME --scopes … --expires …`.",
    },
}
_HEADERS: dict[str, Any] = {
    "X-Request-ID": ("under which the journal and the server's log keep the call", {"format": "uuid"}),
    "WWW-Authenticate": ("both schemes, one header each", {}),
    "Retry-After": ("seconds after which to try again", {"pattern": "^[0-9]+$"}),
    "Allow": ("the methods of this address", {}),
}
_HEADERS_OF = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
_ABOUT = """\
Employee-turnover risk with exact reasons, authenticated and journalled.

Errors have one shape, `{"detail": …, "request_id": …}`; their sentences, like those of the answers, are in \
French, or in English on `Accept-Language: en`. None repeats an employee's values or a credential. \
An estimate opens a conversation; it decides nothing."""


def make_document(models: RequestModels) -> dict[str, Any]:
    """Return the document as plain values: OpenAPI 3.1, whose schemas are JSON Schema 2020-12."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "churn", "version": churn.__version__, "description": _ABOUT},
        # Relative to this document: it may be behind a prefix.
        "servers": [{"url": "."}],
        "tags": [
            {"name": "predictions", "description": "Risks, reasons, and what would change them"},
            {"name": "jobs", "description": "Files of employees, scored in the background"},
            {"name": "records", "description": "What was said, and by which model"},
            {"name": "service", "description": "How the service is"},
        ],
        "paths": {
            route.path: {
                method.lower(): _operation(route, OPERATIONS[route.path]) for method in route.methods
            }
            for route in _ROUTES
        },
        "components": {
            "schemas": _schemas(models),
            "securitySchemes": _SCHEMES,
            "headers": {
                name: {"description": about, "required": True, "schema": {"type": "string", **schema}}
                for name, (about, schema) in _HEADERS.items()
            },
            "parameters": {"Language": _LANGUAGE},
            "responses": {str(code): _refusal(code) for code in _statuses()},
        },
    }


_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "binary"},
            "description": "one file, .csv (.txt, .tsv), .xlsx, .ods or .parquet by its name; or all "
            "the files of the dictionary by theirs",
        }
    },
}
_LANGUAGE: dict[str, Any] = {
    "name": "Accept-Language",
    "in": "header",
    "description": "language of the sentences in the answer: French, or English where it is preferred",
    "schema": {"type": "string", "default": "fr"},
}


def _statuses() -> list[int]:
    return sorted({status for route in _ROUTES for status in refusals(route)})


def _schemas(models: RequestModels) -> dict[str, Any]:
    """Return the schema of every model; those of requests as the service reads them."""
    answers = (Refusal, InvalidInput, *(operation.answer for operation in OPERATIONS.values()))
    described: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "serialization") for model in dict.fromkeys(answers) if not isinstance(model, str)
    ]
    asked = (models.employee, models.question, OutcomesInput, ReviewInput)
    described += [(model, "validation") for model in asked]
    _, definitions = models_json_schema(described, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = definitions["$defs"]
    for model in (models.employee, models.changes):
        spellings.describe(schemas[model.__name__], models.dictionary)
    for schema in schemas.values():
        # Those of answers are about one company: another has other fields.
        if any(name not in models.dictionary.by_name for name in _fields_of(schema.get("example"))):
            del schema["example"]
    return schemas


def _fields_of(example: object) -> Iterator[str]:
    """Yield the names of the fields that an example of an answer is about."""
    if isinstance(example, dict):
        yield from (str(name) for key, name in example.items() if key == "field")
        example = list(example.values())
    for part in example if isinstance(example, list) else ():
        yield from _fields_of(part)


def _operation(route: Route, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(route.path),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description + _needs(route),
        "parameters": [
            *_places(route),
            *_parameters(operation),
            {"$ref": "#/components/parameters/Language"},
        ],
        "responses": {
            str(operation.status): _answer(operation),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in refusals(route)},
        },
    }
    if operation.asks is not None:
        described["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": _body(operation.asks, operation.most)}},
        }
    if operation.files:
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
        described["responses"][str(operation.status)]["links"] = _links()
    return {**described, "security": _security(route)}


def _needs(route: Route) -> str:
    """Return which scopes open a route, as a sentence."""
    scopes = [f"`{scope}`" for scope in (route.scope, route.or_scope) if scope]
    return f" Needs the scope {' or '.join(scopes)}." if scopes else ""


def _links() -> dict[str, Any]:
    """Return what may be asked about the job that is answered."""
    forms = [route.path for route in _ROUTES if route.path.startswith("/jobs/{id}")]
    return {
        _name(form): {"operationId": _name(form), "parameters": {"id": "$response.body#/id"}}
        for form in forms
    }


def _name(path: str) -> str:
    """Return the name of a path's operation."""
    return _WORDS.sub("_", path.partition(".")[0]).strip("_") or "landing"


def _security(route: Route) -> list[dict[str, list[str]]]:
    schemes: list[dict[str, list[str]]] = [] if route.is_open else [{"bearer": []}, {"basic": []}]
    return [*schemes, {}] if route.is_open_locally else schemes  # {} means no credentials


def _places(route: Route) -> list[dict[str, Any]]:
    """Return the parameters in the path: what may stand for its parts in braces."""
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{PARTS[name]}$"},
        }
        for name in PART.findall(route.path)
    ]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    properties = {} if operation.query is None else operation.query.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "description": schema["description"],
            "schema": {key: value for key, value in schema.items() if key not in ("title", "description")},
        }
        for name, schema in properties.items()
    ]


def _body(model: type[BaseModel], most: int | None) -> dict[str, Any]:
    item = {"$ref": f"#/components/schemas/{model.__name__}"}
    return item if most is None else {"type": "array", "items": item, "minItems": 1, "maxItems": most}


def _answer(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        schema = {"type": "object" if operation.answer == _JSON else "string"}
        content = {media: {"schema": schema} for media in (operation.answer, *operation.also)}
    else:
        content = {_JSON: {"schema": _body(operation.answer, operation.most)}}
    return {"description": "as asked", "headers": _headers(), "content": content}


def _refusal(status: int) -> dict[str, Any]:
    model = InvalidInput if status == 422 else Refusal
    return {
        "description": refusal_sentences.status(status, "en") if status != 422 else "The input is not valid",
        "headers": _headers(*([_HEADERS_OF[status]] if status in _HEADERS_OF else [])),
        "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *names)}
