"""GET /history, through the served app, on both databases."""

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from churn.database.tables import api_responses, employee_inputs, requests
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.writer import Writer
from churn.schemas.bands import risk_band
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored
from harness.identities import a_token
from tests.conftest import Served
from tests.support.calls import make_call, scored
from tests.support.journal0001 import id_at
from tests.support.predictions import FULL, erase, put

Item = dict[str, Any]

START = datetime(2026, 1, 30, 12, tzinfo=UTC)
STEP = timedelta(hours=9)  # into the next month
USERS, MODELS, EMPLOYEES = ("ada", "bob", None), ("churn:a", "churn:b"), ("1", "2", "É-3", None, "5")


def ask(served: Served, **parameters: object) -> dict[str, Any]:
    response = served.client.get("/history", params={name: str(value) for name, value in parameters.items()})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def items(served: Served, **parameters: object) -> list[Item]:
    found: list[Item] = ask(served, **parameters)["predictions"]
    return found


def ids(served: Served, **parameters: object) -> list[str]:
    return [item["prediction_id"] for item in items(served, **parameters)]


def predict(served: Served, *employees: object) -> list[str]:
    """Predict for some employees, one call each, and return the ids of the predictions."""
    answers = [served.client.post("/predict", json={**FULL, "employee_id": one}) for one in employees]
    return [answer.json()["prediction_id"] for answer in answers]


def made(number: int) -> Call:
    """Return a call of the past, with two predictions of which all that is asked for varies."""
    moment = START + number * STEP
    predictions = [
        replace(
            scored(EMPLOYEES[(2 * number + position) % 5]),
            id=id_at(moment + timedelta(milliseconds=1 + position)),
            model=MODELS[number % 2],
            prediction=(number + position) % 2,
        )
        for position in range(2)
    ]
    call = make_call(*predictions)
    call.id, call.received_at = id_at(moment), moment
    call.caller = Caller("token", uuid.UUID(int=7), USERS[number % 3])
    return call


@pytest.fixture
def past(served: Served) -> list[tuple[Call, Scored]]:
    """Return predictions of the past, the newest first, that are in the journal."""
    calls = [made(number) for number in range(30)]
    Writer(served.engine).write([entry_of(call) for call in calls])
    return [(call, one) for call in reversed(calls) for one in reversed(call.scored)]


class TestAnItem:
    def test_it_tells_who_asked_about_whom_and_what_was_said(self, served: Served) -> None:
        answer = served.client.post("/predict", json=FULL)
        [item] = items(served)
        told = answer.json()
        with served.engine.connect() as connection:
            received_at = connection.execute(select(requests.c.received_at)).scalars().first()
        assert received_at is not None
        assert datetime.fromisoformat(item["at"]) == received_at
        assert item["at"].endswith("Z")
        del item["at"]
        assert item == {
            **{name: told[name] for name in ("prediction_id", "model", "prediction", "probability")},
            "threshold": told["threshold"],
            "band": risk_band(told["probability"], told["threshold"]),
            "request_id": answer.headers["X-Request-ID"],
            "caller": {"kind": "token", "name": "tests"},
            "route": "/predict",
            "employee_id": "4711",
            "erased": False,
        }

    def test_details_are_the_record_and_what_each_field_contributed(self, served: Served) -> None:
        told = served.client.post("/predict", json=FULL).json()
        [item] = items(served, details="true")
        assert item["record"]["employee_id"] == 4711
        assert item["record"]["poste"] == "Tech Lead"
        for reason in told["reasons"]:
            if reason["field"] in item["contributions"]:
                assert item["contributions"][reason["field"]] == pytest.approx(
                    reason["contribution"], abs=1e-3
                )
        assert isinstance(item["base_value"], float)
        assert not {"record", "contributions", "base_value"} & set(items(served, details="false")[0])

    def test_an_erased_one_says_so_and_nothing_of_the_person(self, served: Served) -> None:
        kept, erased = predict(served, "kept", "gone")
        erase(served.engine, uuid.UUID(erased))
        first, second = items(served, details="true")
        assert (first["prediction_id"], first["erased"]) == (erased, True)
        assert (second["prediction_id"], second["erased"]) == (kept, False)
        for name in ("employee_id", "prediction", "probability", "band", "record", "contributions"):
            assert first[name] is None
        assert first["caller"]["name"] == "tests"
        assert ids(served, employee_id="gone") == []

    def test_one_whose_request_is_torn_out_is_not_hidden(self, served: Served) -> None:
        [made] = predict(served, 1)
        with served.engine.begin() as connection:
            connection.execute(delete(requests))
        [item] = items(served)
        assert item["prediction_id"] == made
        assert (item["at"], item["caller"], item["employee_id"]) == (None, {"kind": None, "name": None}, "1")

    def test_one_whose_input_is_torn_out_is_not_taken_for_erased(self, served: Served) -> None:
        predict(served, 1)
        with served.engine.begin() as connection:
            connection.execute(delete(employee_inputs))
        [item] = items(served, details="true")
        assert (item["erased"], item["employee_id"], item["record"]) == (False, None, None)
        assert item["probability"] is not None

    def test_a_document_that_cannot_be_read_does_not_hide_the_page(self, served: Served) -> None:
        kept, broken = predict(served, 1, 2)
        text = '{"age"' if served.engine.dialect.name == "sqlite" else "[]"  # PostgreSQL takes only JSON
        put(served.engine, "employee_inputs", "record", uuid.UUID(broken), text)
        first, second = items(served, details="true")
        assert [first["prediction_id"], second["prediction_id"]] == [broken, kept]
        assert (first["record"], first["erased"], second["record"]["employee_id"]) == (None, False, 1)


class TestPages:
    def test_there_is_nothing_at_first(self, served: Served) -> None:
        assert ask(served) == {"predictions": [], "next": None}

    def test_all_are_found_once_newest_first_while_others_are_made(self, served: Served) -> None:
        batch = [{**FULL, "employee_id": number} for number in range(7)]
        many = [one["prediction_id"] for one in served.client.post("/predict_batch", json=batch).json()]
        there = [*predict(served, *range(4)), *many, *predict(served, "last")]
        there.sort(reverse=True)
        found: list[str] = []
        page = ask(served, limit=3)
        while True:
            found += [item["prediction_id"] for item in page["predictions"]]
            predict(served, "meanwhile")
            if page["next"] is None:
                break
            assert len(page["predictions"]) == 3
            page = ask(served, limit=3, before=page["next"])
        assert found == there

    def test_a_page_that_ends_with_the_oldest_is_the_last(self, served: Served) -> None:
        predict(served, 1, 2)
        assert ask(served, limit=2)["next"] is None
        assert ask(served, limit=1)["next"] == ids(served)[0]

    def test_a_page_has_fifty_and_two_hundred_at_most(self, served: Served) -> None:
        served.client.post("/predict_batch", json=[FULL] * 201)
        assert len(items(served)) == 50
        full = ask(served, limit=200)
        assert len(full["predictions"]) == 200
        assert len(items(served, before=full["next"])) == 1


# What is asked for, each alone and with one or two others.
CHOICES: dict[str, tuple[object, ...]] = {
    "user": ("ada", "nobody"),
    "model": ("churn:b", "churn"),
    "prediction": (0, 1),
    "employee_id": ("2", " É-3 "),
    "since": (START + 4 * STEP, "2026-02-01"),
    "until": (START + 20 * STEP, "2026-02-03T00:00:00"),
}


class TestFilters:
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_they_let_through_what_a_plain_filter_does(
        self, served: Served, past: list[tuple[Call, Scored]], number: int
    ) -> None:
        sizes = set()
        for names in itertools.combinations(CHOICES, number):
            for values in itertools.product(*(CHOICES[name] for name in names)):
                asked = dict(zip(names, values, strict=True))
                expected = [str(one.id) for call, one in past if _passes(call, one, asked)]
                assert ids(served, limit=200, **asked) == expected, asked
                sizes.add(len(expected))
        assert max(sizes) > min(sizes)

    def test_before_goes_with_the_others(self, served: Served, past: list[tuple[Call, Scored]]) -> None:
        mine = [str(one.id) for call, one in past if call.caller.name == "ada"]
        page = ask(served, user="ada", limit=6)
        assert [item["prediction_id"] for item in page["predictions"]] == mine[:6]
        assert page["next"] == mine[5]
        assert ids(served, user="ada", before=page["next"], limit=200) == mine[6:]
        assert ids(served, user="ada", before=mine[3], since=START + 20 * STEP) == [
            key for key in mine[4:] if key >= str(id_at(START + 20 * STEP))
        ]

    def test_a_moment_is_included_where_it_begins_and_not_where_it_ends(
        self, served: Served, past: list[tuple[Call, Scored]]
    ) -> None:
        at = START + timedelta(milliseconds=1)  # of the oldest prediction
        oldest = str(past[-1][1].id)
        assert oldest in ids(served, since=at, limit=200)
        assert oldest not in ids(served, until=at, limit=200)
        assert oldest not in ids(served, since=at + timedelta(milliseconds=1), limit=200)
        assert ids(served, until=at + timedelta(milliseconds=1)) == [oldest]

    @pytest.mark.parametrize("since", ["0001-01-01", "1969-12-31T23:59:59.5Z", "2026-01-30T14:00:00+02:00"])
    def test_a_moment_may_be_long_ago_or_in_another_zone(
        self, served: Served, past: list[tuple[Call, Scored]], since: str
    ) -> None:
        assert len(ids(served, since=since, limit=200)) == len(past)
        assert ids(served, until=since) == []


def _passes(call: Call, one: Scored, asked: dict[str, object]) -> bool:
    at = START + (call.received_at - START)
    ends = {
        "2026-02-01": datetime(2026, 2, 1, tzinfo=UTC),
        "2026-02-03T00:00:00": datetime(2026, 2, 3, tzinfo=UTC),
    }

    def moment(name: str, otherwise: datetime) -> datetime:
        found = asked.get(name, otherwise)
        return found if isinstance(found, datetime) else ends[str(found)]

    return (
        asked.get("user", call.caller.name) == call.caller.name
        and asked.get("model", one.model) == one.model
        and asked.get("prediction", one.prediction) == one.prediction
        and str(asked.get("employee_id", one.record["employee_id"])).strip() == str(one.record["employee_id"])
        and moment("since", at) <= at < moment("until", at + STEP)
    )


MALFORMED = [
    ("limit", "0", "page_size"),
    ("limit", "201", "page_size"),
    ("limit", "-1", "page_size"),
    ("limit", "5_0", "page_size"),
    ("limit", "٥", "page_size"),
    ("limit", "9" * 5000, "page_size"),
    ("before", "1234", "prediction_id"),
    ("user", "", "name"),
    ("user", "a\x00b", "name"),
    ("model", "x" * 129, "name"),
    ("prediction", "2", "zero_or_one"),
    ("prediction", "true", "zero_or_one"),
    ("since", "yesterday", "moment"),
    ("until", "2026-02-30", "moment"),
    ("employee_id", " ", "identifier"),
    ("employee_id", "4\x007", "identifier"),
    ("employee_id", "x" * 65, "identifier"),
    ("details", "yes", "true_or_false"),
    ("page", "2", "unknown_parameter"),
]


class TestRefusals:
    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_a_malformed_parameter_is_named_in_the_callers_language(
        self, served: Served, language: str
    ) -> None:
        sentences = set()
        for name, value, kind in MALFORMED:
            response = served.client.get(
                "/history", params={name: value}, headers={"Accept-Language": language}
            )
            assert response.status_code == 422, (name, value)
            [error] = response.json()["detail"]
            assert (error["loc"], error["type"]) == (["query", name], kind)
            assert error["msg"] not in ("invalid value", "valeur invalide")
            assert error["msg"].startswith("expected") or language == "fr" or kind == "unknown_parameter"
            sentences.add(error["msg"])
        assert len(sentences) == len({kind for _, _, kind in MALFORMED})

    @pytest.mark.parametrize(
        ("language", "sentence"),
        [
            ("fr", "ce paramètre est donné plus d'une fois"),
            ("en", "this parameter is given more than once"),
        ],
    )
    def test_a_parameter_is_not_given_twice(self, served: Served, language: str, sentence: str) -> None:
        response = served.client.get("/history?limit=1&limit=2", headers={"Accept-Language": language})
        [error] = response.json()["detail"]
        assert (response.status_code, error["loc"], error["msg"]) == (422, ["query", "limit"], sentence)

    def test_all_that_are_malformed_are_told_up_to_fifty(self, served: Served) -> None:
        response = served.client.get("/history?limit=0&prediction=7&model=a&x%0Ay=1")
        assert [error["loc"][1] for error in response.json()["detail"]] == ["limit", "prediction", "xy"]
        turned = served.client.get("/history?age=1&age=2&details=&limit=1&limit=0").json()["detail"]
        assert [(error["loc"][1], error["type"]) for error in turned] == [
            ("age", "unknown_parameter"), ("details", "true_or_false"), ("limit", "repeated_parameter")
        ]  # fmt: skip
        many = served.client.get("/history", params={f"p{number}": "1" for number in range(60)})
        assert len(many.json()["detail"]) == 50

    def test_a_token_without_the_scope_is_refused(self, served: Served) -> None:
        predict(served, "secret")
        token = a_token(served.engine, "predicts", scopes=("predict",))
        response = served.client.get("/history", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 403
        assert "secret" not in response.text

    def test_it_is_only_to_be_read(self, served: Served) -> None:
        assert served.client.post("/history", json={}).status_code == 405


def test_the_call_is_journalled_but_not_what_it_told(served: Served) -> None:
    predict(served, "E-17")
    response = served.client.get("/history?employee_id=E-17")
    assert response.json()["predictions"]
    with served.engine.connect() as connection:
        joined = select(requests, api_responses).join(
            api_responses, api_responses.c.request_id == requests.c.id
        )
        [call] = connection.execute(joined.where(requests.c.route == "/history")).all()
    assert str(call.id) == response.headers["X-Request-ID"]
    assert (call.method, call.caller_name, call.status, call.body) == ("GET", "tests", 200, None)
    assert "E-17" not in str(call)
    assert len(ids(served)) == 1
