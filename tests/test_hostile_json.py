"""Hostile JSON through the public door: every body is answered, in one shape, and journalled."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from churn.database.engine import make_engine
from churn.database.tables import api_responses, prediction_results, requests
from churn.dictionary.technova import TECHNOVA
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness.servers import Server, bentoml_serve, environment, home_beside
from tests.conftest import Served
from tests.support.company import EXAMPLE
from tests.support.hostile import ROUTES, ROW, Case, cases
from tests.support.hostile_employees import FIELDS, KINDS, OK, SECRET, VALUES, employee

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
HEADERS = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}

Post = Callable[[Case], tuple[int, bytes, str | None]]


def answered(post: Post, name: str, case: Case) -> uuid.UUID:
    """Post a case, assert that it is answered as it should be, and return the request's id."""
    status, content, request_id = post(case)
    assert status == case.status, f"{case.path}: {name}: {content[:300]!r}"
    answer = json.loads(content.decode(), parse_constant=pytest.fail)
    if status != OK:
        assert set(answer) == {"detail", "request_id"}, name
        assert answer["request_id"] == request_id, name
        assert all(reason["msg"] != "valeur invalide" for reason in reasons(answer["detail"])), name
        assert SECRET not in content.decode(), name
        assert len(content) < 20_000, name
    return uuid.UUID(request_id)


def reasons(detail: Any) -> list[dict[str, Any]]:
    """Return the entries of a refusal, each with a place, a sentence and a word; of a sentence, none."""
    if isinstance(detail, str):
        assert detail
        return []
    assert detail
    for reason in detail:
        assert set(reason) == {"loc", "msg", "type"}
        assert reason["loc"][0] == "body"
        assert str(reason["loc"]).isprintable()
    return list(detail)


def assert_journalled(engine: Engine, posted: dict[uuid.UUID, Case]) -> None:
    """Assert that the journal has each case once, as it was answered, without a value, and verifies."""
    rows = select(requests.c.id, requests.c.route, api_responses.c.status, api_responses.c.body).join_from(
        requests, api_responses, requests.c.id == api_responses.c.request_id
    )
    with engine.connect() as connection:
        found = [row for row in connection.execute(rows) if row.id in posted]
        results = len(connection.execute(select(prediction_results.c.id)).all())
    assert {row.id: (row.route, row.status) for row in found} == {
        key: (case.path, case.status) for key, case in posted.items()
    }
    assert len(found) == len(posted)
    assert SECRET not in str([row.body for row in found if row.status != OK])
    assert results >= Counter(case.status for case in posted.values())[OK]
    assert verify(engine).findings == []


@pytest.fixture
def in_process(served: Served) -> Post:
    """Return how a case is posted to the served app in process."""

    def post(case: Case) -> tuple[int, bytes, str | None]:
        headers = {"Content-Type": "application/json"}
        response = served.client.post(case.path, content=case.body, headers=headers)
        return response.status_code, response.content, response.headers.get("X-Request-ID")

    return post


def assert_well(served: Served) -> None:
    """Assert that the service answers and that its history can be read."""
    assert served.client.post("/predict", json=EXAMPLE).status_code == OK
    page = served.client.get("/history", params={"limit": 200})
    assert page.status_code == OK
    assert page.json()


# On SQLite it goes over the wire, further down.
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("path", ROUTES)
def test_the_corpus_in_process(served: Served, in_process: Post, path: str) -> None:
    posted = {answered(in_process, name, case): case for name, case in cases(path)}
    assert_well(served)
    assert_journalled(served.engine, posted)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_ends_anywhere_is_refused(served: Served, in_process: Post, path: str) -> None:
    body = ROUTES[path](ROW)
    posted = {}
    for end in range(len(body)):
        case = Case(path, body[:end], 422)
        posted[answered(in_process, f"{end} bytes", case)] = case
    assert_well(served)
    assert_journalled(served.engine, posted)


@pytest.fixture(scope="module")
def server_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'churn.db'}"


@pytest.fixture(scope="module")
def server(
    model: ServedModel, server_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Return a real server: the same over the wire, by uvicorn's parser, in another process."""
    env = environment(
        BENTOML_HOME=str(home_beside(registry.home(), tmp_path_factory.mktemp("home"))),
        DATABASE_URL=server_database,
        CHURN_MODEL=model.tag,
        API_TOKEN=TOKEN,
    )
    with bentoml_serve(env) as server:
        yield server


@pytest.mark.parametrize("path", ROUTES)
def test_the_corpus_over_the_wire(server: Server, server_database: str, path: str) -> None:
    with httpx.Client(base_url=server.url, headers=HEADERS, timeout=120) as client:

        def post(case: Case) -> tuple[int, bytes, str | None]:
            response = client.post(case.path, content=case.body)
            return response.status_code, response.content, response.headers.get("X-Request-ID")

        posted = {answered(post, name, case): case for name, case in cases(path)}
        assert client.get("/history").status_code == OK
    assert SECRET not in server.process.output
    assert "Traceback" not in server.process.output
    engine = make_engine(server_database)
    assert_journalled(engine, posted)
    engine.dispose()


NAMES = st.one_of(
    st.sampled_from([json.dumps(field.name) for field in TECHNOVA.fields]),
    st.sampled_from([json.dumps(alias) for field in TECHNOVA.fields for alias in field.aliases]),
    st.text(st.characters(exclude_categories=()), max_size=80).map(json.dumps),
)
SHORT = [text for text in VALUES if len(text) < 10_000]
RAW = st.one_of(
    st.sampled_from(SHORT),
    st.floats().map(json.dumps),
    st.integers(-(10**500), 10**500).map(str),
    st.text(st.characters(exclude_categories=()), max_size=80).map(json.dumps),
    st.sampled_from([json.dumps(category) for field in TECHNOVA.fields for category in field.categories]),
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(NAMES, inner).map(": ".join)
    return st.one_of(
        st.lists(inner, max_size=5).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(pairs, max_size=8).map(lambda parts: f"{{{', '.join(parts)}}}"),
    )


ANYTHING = st.recursive(RAW, nested, max_leaves=20)
# Some of them valid: an employee with values of all kinds.
PEOPLE = st.dictionaries(st.sampled_from(KINDS), RAW, max_size=3).map(lambda raw: employee(**raw))
MORE = st.lists(st.sampled_from([more for more, _ in FIELDS.values() if len(more) < 10_000]), max_size=1)
BODIES = st.one_of(
    ANYTHING.map(lambda text: text.encode(errors="surrogatepass")),
    PEOPLE,
    MORE.map(lambda more: employee(*more)),
    st.binary(max_size=200),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_that_can_be_posted_is_an_error_of_ours(served: Served, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(ROUTES)))
    body = data.draw(BODIES)
    wrapped = data.draw(st.sampled_from([body, ROUTES[path](body)]))
    headers = {"Content-Type": "application/json"}
    response = served.client.post(path, content=wrapped, headers=headers)
    assert response.status_code in (200, 413, 422)
    answer = json.loads(response.content.decode(), parse_constant=pytest.fail)
    assert response.status_code == OK or set(answer) == {"detail", "request_id"}
