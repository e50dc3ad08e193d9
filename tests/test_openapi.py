"""The OpenAPI document: valid, whole, and what the service really does."""

import json
import re
from typing import Any

import httpx2
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

import churn
from churn.dictionary.field import LARGEST
from churn.dictionary.technova import TECHNOVA
from churn.schemas.responses import Suggestion, WhatIfAnswer
from churn.web.openapi.document import make_document
from churn.web.openapi.operations import OPERATIONS
from churn.web.routes import ROUTES
from harness.identities import a_token, bearer
from tests.conftest import Served
from tests.support.company import EXAMPLE, MODELS
from tests.support.jobs import awaited, csv_of, send
from tests.support.tables import employees

BODIES = {
    "/predict": EXAMPLE,
    "/predict_batch": [EXAMPLE],
    "/what_if": {"employee": EXAMPLE, "changes": {}},
    "/outcomes": {"outcomes": [{"employee_id": 1, "known_until": "2026-01-31"}]},
    "/predictions/{id}/review": {"verdict": "disagree", "action": "pay", "comment": "No."},
}
NOBODY = "0123abcd-0123-7abc-89ab-0123456789ab"  # the id of no prediction
# One call for each status that can be had at will.
REFUSED: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "no JSON": (422, "POST", "/predict", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    "an unknown field": (422, "POST", "/predict", {"json": {**EXAMPLE, "nobody": 1}}),
    "a bad row": (422, "POST", "/predict_batch", {"json": [EXAMPLE, {}]}),
    "a bad change": (422, "POST", "/what_if", {"json": {"employee": EXAMPLE, "changes": {"age": -1}}}),
    "no verdict": (422, "POST", f"/predictions/{NOBODY}/review", {"json": {"comment": 7}}),
    "a long comment": (413, "POST", f"/predictions/{NOBODY}/review", {"content": b" " * 40_000}),
    "no prediction": (404, "GET", f"/predictions/{NOBODY}", {}),
    "no prediction to review": (404, "POST", f"/predictions/{NOBODY}/review", {"json": {"verdict": "agree"}}),
    "a bad parameter": (422, "GET", "/history", {"params": {"limit": "many"}}),
    "no credentials": (401, "GET", "/model", {"headers": {"Authorization": ""}}),
    "a form": (415, "POST", "/predict", {"data": {"age": "40"}}),
    "a long body": (413, "POST", "/predict", {"content": b" " * 1024**2 + b"{}"}),
    "no form": (415, "POST", "/predict_file", {"json": {}}),
    "no file": (422, "POST", "/predict_file", {"files": {"other": b"x"}}),
    "another method": (405, "POST", "/history", {}),
}


DOCUMENT = make_document(MODELS)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return DOCUMENT


def conforms(document: dict[str, Any], response: httpx2.Response, path: str, method: str = "GET") -> None:
    """Fail unless the document has this answer: its status, media type, headers and body."""
    told = document["paths"][path][method.lower()]["responses"][str(response.status_code)]
    if "$ref" in told:
        told = document["components"]["responses"][told["$ref"].rpartition("/")[2]]
    media = response.headers["content-type"].partition(";")[0]
    schema = told["content"][media]["schema"]
    assert {name.lower() for name in told["headers"]} <= {name.lower() for name in response.headers}
    if media == "application/json":
        whole = {**schema, "components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(response.json())
        model = schema
        while "$ref" in model:
            model = whole["components"]["schemas"][model["$ref"].rpartition("/")[2]]
        if model is not schema:
            assert model.get("additionalProperties") or set(response.json()) <= set(model["properties"])


def test_is_a_valid_document_and_open_to_anyone(served: Served, document: dict[str, Any]) -> None:
    answer = served.client.get("/openapi.json", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.json() == document
    validate(answer.json())


def test_has_every_route_of_the_table_and_no_other(document: dict[str, Any]) -> None:
    documented = {route.path for route in ROUTES.routes if route.is_documented}
    assert set(document["paths"]) == documented == set(OPERATIONS)


def test_says_what_opens_each_route(document: dict[str, Any]) -> None:
    assert {one["scheme"] for one in document["components"]["securitySchemes"].values()} == {
        "basic",
        "bearer",
    }
    both: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]
    routes = {route.path: route for route in ROUTES.routes}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            expected = [] if routes[path].is_open else [*both, {}] if path == "/metrics" else both
            assert operation["security"] == expected, path
            statuses = set(operation["responses"])
            assert ({"401", "403", "429", "503"} <= statuses) == (not routes[path].is_open), path
            assert {str(OPERATIONS[path].status), "400", "405", "408", "431", "500", "504"} <= statuses, path


def test_describes_the_answer_of_every_route(served: Served, document: dict[str, Any]) -> None:
    admin = {"Authorization": bearer(a_token(served.engine, "root", scopes=["admin"]))}
    for path, methods in document["paths"].items():
        if OPERATIONS[path].files or path.startswith("/jobs/"):
            continue  # they have a test of their own
        [method] = methods
        address = path.replace("{id}", predicted(served))
        answer = served.client.request(method, address, json=BODIES.get(path), headers=admin)
        assert answer.status_code == 200, path
        conforms(document, answer, path, method)


def predicted(served: Served) -> str:
    """Return the id of a new prediction that has a review."""
    key = served.client.post("/predict", json={**EXAMPLE, "employee_id": 7}).json()["prediction_id"]
    served.client.post(f"/predictions/{key}/review", json={"verdict": "agree"}).raise_for_status()
    return str(key)


def test_describes_the_answers_about_jobs(served: Served, document: dict[str, Any]) -> None:
    table = employees(5)
    table.loc[0, "age"] = 9
    table.loc[1, "nobody"] = 1
    sent = served.client.post("/predict_file", files={"file": ("in.csv", csv_of(table))})
    conforms(document, sent, "/predict_file", "POST")
    failed = awaited(served.client, sent.json())
    conforms(document, served.client.get(failed["addresses"]["self"]), "/jobs/{id}")
    done = awaited(served.client, send(served.client, csv_of(table.drop(columns="nobody"))))
    for what, form in (("self", ""), ("result", "/result"), ("rejects", "/rejects")):
        conforms(document, served.client.get(done["addresses"][what]), f"/jobs/{{id}}{form}")
    for kind in ("xlsx", "parquet"):
        answer = served.client.get(done["addresses"]["result"], params={"format": kind})
        conforms(document, answer, "/jobs/{id}/result")
    again = served.client.post(done["addresses"]["score"])
    conforms(document, again, "/jobs/{id}/score", "POST")
    conforms(document, served.client.post(done["addresses"]["cancel"]), "/jobs/{id}/cancel", "POST")
    form = document["paths"]["/predict_file"]["post"]["requestBody"]["content"]
    assert list(form) == ["multipart/form-data"]


@pytest.mark.parametrize(
    "target", ["/health", "/readyz", "/model", "/history?details=true", "/predictions/{id}"]
)
def test_an_answer_is_what_its_model_makes(served: Served, target: str) -> None:
    model = OPERATIONS[target.partition("?")[0]].answer
    assert isinstance(model, type)
    body = served.client.get(target.replace("{id}", predicted(served))).content
    answer = model.model_validate_json(body, strict=True)
    # Each field is declared, in the order in which it is sent.
    assert not answer.model_extra
    assert answer.model_dump_json(exclude_unset=True).encode() == body


def test_describes_a_page_with_details(served: Served, document: dict[str, Any]) -> None:
    served.client.post("/predict", json={**EXAMPLE, "employee_id": 7}).raise_for_status()
    answer = served.client.get("/history", params={"details": "true"})
    assert answer.json()["predictions"][0]["record"]["employee_id"] == 7
    conforms(document, answer, "/history")


def test_describes_every_refusal(served: Served, document: dict[str, Any]) -> None:
    for name, (status, method, path, call) in REFUSED.items():
        answer = served.client.request(method, path, **call)
        assert answer.status_code == status, name
        # A method that a route does not have is refused as its own are.
        conforms(document, answer, ROUTES[path].path, ROUTES[path].methods[0])


def test_everything_that_is_referred_to_is_there(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        part: Any = document
        for name in reference.split("/"):
            assert name in part, reference
            part = part[name]


def test_describes_a_refusal_for_want_of_scopes(served: Served, document: dict[str, Any]) -> None:
    narrow = bearer(a_token(served.engine, "narrow", scopes=["predict"]))
    answer = served.client.get("/history", headers={"Authorization": narrow})
    assert answer.status_code == 403
    conforms(document, answer, "/history")


def test_names_every_field_of_an_employee(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert list(schemas["Employee"]["properties"]) == [field.name for field in TECHNOVA.inputs]
    assert schemas["Employee"]["required"] == [field.name for field in TECHNOVA.core]
    changeable = [field.name for field in TECHNOVA.inputs if field is not TECHNOVA.identifier]
    assert list(schemas["Changes"]["properties"]) == changeable
    assert "required" not in schemas["Changes"]


def test_bounds_every_number(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["Employee"]["properties"]
    for field in TECHNOVA.inputs:
        if field.numeric:
            schema = properties[field.name]
            number = next(
                one for one in schema.get("anyOf", [schema]) if one["type"] in ("integer", "number")
            )
            maximum = LARGEST if field.maximum is None else field.maximum
            assert (number["minimum"], number["maximum"]) == (field.minimum, maximum), field.name


def test_describes_the_what_if(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    asked = schemas["WhatIfQuestion"]
    assert asked["required"] == ["employee"]
    assert asked["properties"]["changes"]["$ref"].endswith("/Changes")
    assert set(schemas["WhatIfAnswer"]["properties"]) == set(WhatIfAnswer.model_fields)
    assert list(schemas["Suggestion"]["properties"]) == ["field", "from", "to", "probability", "text"]
    assert Suggestion.model_json_schema(mode="serialization")["required"] == schemas["Suggestion"]["required"]


EMPLOYEE = DOCUMENT["components"]["schemas"]["Employee"]["properties"]


def patterns(name: str) -> list[str]:
    return [one["pattern"] for one in EMPLOYEE[name]["anyOf"] if "pattern" in one]


@pytest.mark.parametrize("name", [field.name for field in TECHNOVA.inputs if field.kind == "category"])
@given(data=st.data())
def test_takes_every_spelling_that_it_describes(name: str, data: st.DataObject) -> None:
    field = TECHNOVA.by_name[name]
    (pattern,) = patterns(name)
    value = data.draw(st.from_regex(pattern, fullmatch=True))
    assert (
        getattr(MODELS.employee.model_validate({**EXAMPLE, field.name: value}), field.name)
        in field.categories
    )
    for spelling in (*field.categories, *field.value_aliases):
        for one in (spelling, spelling.upper(), spelling.lower(), spelling.replace(" ", "")):
            assert re.search(pattern, one), one


@given(text=st.from_regex(patterns("employee_id")[0], fullmatch=True))
def test_takes_every_identifier_that_it_describes(text: str) -> None:
    assert (
        MODELS.employee.model_validate({**EXAMPLE, "employee_id": text}).record()["employee_id"]
        == text.strip()
    )


@given(text=st.from_regex(patterns("augmentation_salaire_precedente")[0], fullmatch=True))
def test_takes_every_percentage_that_it_describes(text: str) -> None:
    found = MODELS.employee.model_validate({**EXAMPLE, "augmentation_salaire_precedente": text})
    assert found.record()["augmentation_salaire_precedente"] is not None


def test_has_the_version_of_the_package(document: dict[str, Any]) -> None:
    assert document["info"]["version"] == churn.__version__
