"""Reviews of predictions, through the served app, on both databases: added, read, shown, erased, sealed."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Row, delete, insert, select, update

from churn.cli.main import main
from churn.core.ids import new_id
from churn.core.language import LANGUAGES, Language
from churn.database.tables import JOURNAL, api_responses, employee_inputs, requests, reviews
from churn.i18n.numbers import number
from churn.i18n.review_sentences import EXPECTED
from churn.journal.call import Call
from churn.journal.entry import entry_of, load
from churn.journal.writer import Writer
from churn.records.integrity import verify
from churn.schemas.caller import Caller
from churn.schemas.review import ACTIONS, LONGEST_COMMENT, VERDICTS, Review
from harness.identities import a_token, a_user, basic, bearer
from tests.conftest import Served
from tests.support.calls import make_call, scored
from tests.support.company import EXAMPLE
from tests.support.journal0001 import id_at
from tests.support.predictions import erase, predict, run

MINE, HERS = "Zoé-4711", "Ana-0815"
COMMENT = "I disagree, because Zoé's overtime\nended in June — <b>ask her</b>."


# What is said, and what is kept of it.
COMMENTS = {
    "  \r\n ": None,
    "": None,
    " a\r\nb\rc\t\u00a0: d ": "a\nb\nc\t\u00a0: d",
    "❤️" * (LONGEST_COMMENT // 2): "❤️" * (LONGEST_COMMENT // 2),
    "'; DROP TABLE reviews; -- \\": "'; DROP TABLE reviews; -- \\",
}


def predicted(served: Served, employee: object = MINE, **headers: str) -> str:
    """Return the id of a new prediction."""
    body = {**EXAMPLE, "employee_id": employee}
    return str(served.client.post("/predict", json=body, headers=headers).json()["prediction_id"])


def review(served: Served, prediction: object, authorization: str = "", **body: Any) -> httpx2.Response:
    headers = {"Authorization": authorization} if authorization else {}
    body = {"verdict": "disagree", **body}
    return served.client.post(f"/predictions/{prediction}/review", json=body, headers=headers)


def read(served: Served, prediction: object, authorization: str = "") -> httpx2.Response:
    headers = {"Authorization": authorization} if authorization else {}
    return served.client.get(f"/predictions/{prediction}", headers=headers)


def stored(served: Served) -> list[Row[Any]]:
    with served.engine.connect() as connection:
        return list(connection.execute(select(reviews).order_by(reviews.c.request_id)).all())


class TestAdding:
    def test_it_is_stored_and_read_back_as_it_was_answered(self, served: Served) -> None:
        key = predicted(served)
        answer = review(served, key, action="interview", comment=COMMENT)
        assert answer.status_code == 200, answer.text
        [row] = stored(served)
        assert (str(row.request_id), str(row.prediction_id)) == (answer.headers["X-Request-ID"], key)
        assert (row.verdict, row.action, row.comment) == ("disagree", "interview", COMMENT)
        [told] = read(served, key).json()["reviews"]
        assert answer.json() == {"prediction_id": key, "review": told}
        assert told["review_id"] == answer.headers["X-Request-ID"]
        assert told["caller"] == {"kind": "token", "name": "tests"}
        assert (told["verdict"], told["action"], told["comment"]) == ("disagree", "interview", COMMENT)
        assert datetime.now(UTC) - datetime.fromisoformat(told["at"]) < timedelta(minutes=5)

    def test_several_stay_in_their_order_with_who_said_them(self, served: Served) -> None:
        key = predicted(served)
        a_user(served.engine, "marie")
        review(served, key, comment="first")
        assert review(served, key, basic("marie"), verdict="agree").status_code == 200
        review(served, key, comment="third")
        told = read(served, key).json()["reviews"]
        assert [one["comment"] for one in told] == ["first", None, "third"]
        assert [one["verdict"] for one in told] == ["disagree", "agree", "disagree"]
        assert [one["caller"]["name"] for one in told] == ["tests", "marie", "tests"]

    def test_each_verdict_goes_with_each_action(self, served: Served) -> None:
        key, choices = predicted(served), list(product(VERDICTS, (None, *ACTIONS)))
        for verdict, action in choices:
            assert review(served, key, verdict=verdict, action=action).status_code == 200
        told = read(served, key).json()["reviews"]
        assert [(one["verdict"], one["action"]) for one in told] == choices

    def test_a_comment_is_kept_without_space_around_it(self, served: Served) -> None:
        key = predicted(served)
        for comment in COMMENTS:
            assert review(served, key, comment=comment).status_code == 200
        told = read(served, key).json()["reviews"]
        assert [one["comment"] for one in told] == list(COMMENTS.values())

    def test_the_call_is_journalled_and_the_comment_is_in_the_review_alone(self, served: Served) -> None:
        answer = review(served, predicted(served), comment=COMMENT)
        with served.engine.connect() as connection:
            route = requests.c.route == "/predictions/{id}/review"
            [call] = connection.execute(select(requests).where(route)).all()
            response = select(api_responses).where(api_responses.c.request_id == call.id)
            told = connection.execute(response).one()
            everything = [str(row) for t in JOURNAL for row in connection.execute(select(t))]
        assert (str(call.id), call.method, call.caller_name) == (
            answer.headers["X-Request-ID"], "POST", "tests",
        )  # fmt: skip
        assert (told.status, told.body) == (200, None)
        assert "because" not in "".join(everything)

    def test_pages_have_reviews_with_their_details_only(self, served: Served) -> None:
        reviewed, other = predicted(served), predicted(served, HERS)
        review(served, reviewed, comment=COMMENT)
        first, second = served.client.get("/history?details=true").json()["predictions"]
        assert (first["prediction_id"], first["reviews"]) == (other, [])
        assert [one["comment"] for one in second["reviews"]] == [COMMENT]
        assert not any("reviews" in one for one in served.client.get("/history").json()["predictions"])

    def test_one_whose_call_was_torn_out_is_not_hidden(self, served: Served) -> None:
        key = predicted(served)
        review(served, key, comment=COMMENT)
        with served.engine.begin() as connection:
            connection.execute(delete(requests).where(requests.c.route.endswith("/review")))
        [told] = read(served, key).json()["reviews"]
        assert (told["at"], told["caller"], told["comment"]) == (None, {"kind": None, "name": None}, COMMENT)


class TestOnePrediction:
    def test_it_is_what_a_page_has_of_it(self, served: Served) -> None:
        for key in predict(served):
            review(served, key)
        for item in served.client.get("/history?details=true").json()["predictions"]:
            answer = read(served, item["prediction_id"])
            assert (answer.status_code, answer.json()) == (200, item)

    def test_reading_it_is_logged(self, served: Served) -> None:
        answer = read(served, predicted(served))
        with served.engine.connect() as connection:
            call = connection.execute(select(requests).order_by(requests.c.id.desc()).limit(1)).one()
            own = api_responses.c.request_id == call.id
            body = connection.execute(select(api_responses.c.body).where(own)).scalar_one()
        assert (str(call.id), call.route, body) == (
            answer.headers["X-Request-ID"], "/predictions/{id}", None,
        )  # fmt: skip

    def test_a_reading_is_in_the_audit_log(self, served: Served) -> None:
        read(served, predicted(served))
        listed = run(main, "audit", "--kind", "read", "--json").output
        assert "/predictions/{id}" in [json.loads(line)["what"] for line in listed.splitlines()]


class TestWhoMay:
    def test_one_sees_and_reviews_ones_own_and_others_with_the_scope_history(self, served: Served) -> None:
        own = bearer(a_token(served.engine, "own", scopes=("predict",)))
        reader = bearer(a_token(served.engine, "reader", scopes=("history",)))
        mine, others = predicted(served, Authorization=own), predicted(served)
        assert (read(served, mine, own).status_code, review(served, mine, own).status_code) == (200, 200)
        assert (read(served, others, own).status_code, review(served, others, own).status_code) == (404, 404)
        assert (read(served, mine, reader).status_code, read(served, others, reader).status_code) == (
            200,
            200,
        )
        assert review(served, mine, reader).status_code == 403
        assert (read(served, mine).status_code, review(served, mine).status_code) == (200, 200)
        assert [row.prediction_id for row in stored(served)] == [uuid.UUID(mine)] * 2

    def test_a_name_alone_makes_nobody_the_same(self, served: Served) -> None:
        token = bearer(a_token(served.engine, "twin", scopes=("predict",)))
        namesakes = [Caller("user", None, "twin"), Caller("token", new_id(), "twin")]
        for caller in namesakes:
            call = make_call(scored(7))
            call.caller = caller
            Writer(served.engine).write([entry_of(call)])
            assert read(served, call.scored[0].id, token).status_code == 404
            assert review(served, call.scored[0].id, token).status_code == 404

    def test_a_refused_call_says_the_same_of_others_and_of_what_there_is_not(self, served: Served) -> None:
        own = bearer(a_token(served.engine, "own", scopes=("predict",)))
        others, nobodys = read(served, predicted(served), own), read(served, new_id(), own)
        assert others.json()["detail"] == nobodys.json()["detail"]

    @pytest.mark.parametrize("place", ["nothing", "0123ABCD-0123-7ABC-89AB-0123456789AB", "../history"])
    def test_what_is_no_id_is_no_address(self, served: Served, place: str) -> None:
        assert review(served, place).status_code in (404, 405)
        assert stored(served) == []


MALFORMED: list[tuple[object, list[str], str]] = [
    ([], ["body"], "object_type"),
    ({}, ["body", "verdict"], "missing"),
    ({"verdict": "maybe"}, ["body", "verdict"], "verdict"),
    ({"verdict": None}, ["body", "verdict"], "verdict"),
    ({"verdict": ["agree"]}, ["body", "verdict"], "verdict"),
    ({"verdict": "agree", "action": "dismissal"}, ["body", "action"], "action"),
    ({"verdict": "agree", "action": {"pay": 1}}, ["body", "action"], "action"),
    ({"verdict": "agree", "comment": "x" * (LONGEST_COMMENT + 1)}, ["body", "comment"], "comment"),
    ({"verdict": "agree", "comment": 7}, ["body", "comment"], "comment"),
    ({"verdict": "agree", "comment": "a\x00b"}, ["body", "comment"], "comment"),
    ({"verdict": "agree", "comment": "a\x1bb"}, ["body", "comment"], "comment"),
    ({"verdict": "agree", "comment": "a\ud800b"}, ["body", "comment"], "comment"),
    ({"verdict": "agree", "by\nwhom": "me"}, ["body", "bywhom"], "unknown_field"),
]


class TestRefusals:
    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_what_is_wrong_is_named_and_what_was_said_is_not(self, served: Served, language: str) -> None:
        key = predicted(served)
        sentences = set()
        for body, place, kind in MALFORMED:
            response = served.client.post(
                f"/predictions/{key}/review",
                content=json.dumps(body),
                headers={"Accept-Language": language, "Content-Type": "application/json"},
            )
            assert response.status_code == 422, body
            [error] = response.json()["detail"]
            assert (error["loc"], error["type"]) == (place, kind)
            assert error["msg"] not in ("invalid value", "valeur invalide")
            sentences.add(error["msg"])
        assert len(sentences) == len({kind for _, _, kind in MALFORMED})
        assert stored(served) == []

    def test_all_that_is_wrong_is_told(self, served: Served) -> None:
        response = review(served, predicted(served), verdict="x", action="y", comment=1, extra=2)
        told = {error["loc"][1]: error["type"] for error in response.json()["detail"]}
        assert told == {
            "verdict": "verdict", "action": "action", "comment": "comment", "extra": "unknown_field",
        }  # fmt: skip

    def test_an_erased_prediction_is_not_reviewed(self, served: Served) -> None:
        key = predicted(served)
        erase(served.engine, uuid.UUID(key))
        assert review(served, key, comment=COMMENT).status_code == 404
        assert stored(served) == []

    def test_nothing_is_stored_where_the_database_takes_nothing(self, served_strictly: Served) -> None:
        key = predicted(served_strictly)
        engine = served_strictly.engine
        with engine.connect() as connection:
            before = connection.execute(select(requests)).all()
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE journal_batches RENAME TO gone")
        response = review(served_strictly, key, comment=COMMENT)
        assert (response.status_code, "because" in response.text) == (503, False)
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO journal_batches")
            assert connection.execute(select(requests)).all() == before
        assert stored(served_strictly) == []

    def test_without_its_table_it_is_said_to_try_again(self, served: Served) -> None:
        key = predicted(served)
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE reviews RENAME TO gone")
        assert (review(served, key).status_code, read(served, key).status_code) == (503, 503)


def reviewing(prediction: uuid.UUID, comment: str = COMMENT) -> Call:
    """Return a call that reviews a prediction."""
    call = make_call(route="/predictions/{id}/review")
    call.body, call.review = None, Review(prediction, "disagree", "pay", comment)
    return call


class TestErasing:
    def test_what_was_said_goes_with_the_person_and_the_chain_stays_valid(self, served: Served) -> None:
        mine, hers = predicted(served), predicted(served, HERS)
        for key in (mine, mine, hers):
            review(served, key, comment=COMMENT)
        assert "2 reviews erased" in run(main, "data", "erase", MINE, "--yes").output
        emptied, also, kept = stored(served)
        for row in (emptied, also):
            assert (row.verdict, row.action, row.comment, row.salt) == (None,) * 4
        assert kept.comment == COMMENT
        assert read(served, mine).json()["reviews"] == []
        assert len(read(served, hers).json()["reviews"]) == 1
        found = verify(served.engine)
        assert (found.findings, found.erased) == ([], 3 + 1 + 2)

    def test_a_review_that_came_meanwhile_goes_with_the_next(self, served: Served) -> None:
        mine = predicted(served)
        predicted(served, HERS)
        run(main, "data", "erase", MINE, "--yes")
        Writer(served.engine).write([entry_of(reviewing(uuid.UUID(mine)))])
        assert read(served, mine).json()["reviews"] == []
        assert "1 reviews erased" in run(main, "data", "erase", HERS, "--yes").output
        assert [row.comment for row in stored(served)] == [None]
        assert verify(served.engine).findings == []

    def test_the_person_is_told_of_them(self, served: Served) -> None:
        review(served, predicted(served), action="training", comment=COMMENT)
        [line] = run(main, "data", "show", MINE, "--json").output.splitlines()
        [told] = json.loads(line)["reviews"]
        assert (told["verdict"], told["action"], told["comment"]) == ("disagree", "training", COMMENT)
        assert told["caller"] == {"kind": "token", "name": "tests"}
        shown = run(main, "data", "show", MINE).output
        assert "by token tests: disagree" in shown
        assert "    action: training" in shown
        assert "    ended in June" in shown

    def test_they_are_exported(self, served: Served, tmp_path: Path) -> None:
        review(served, predicted(served), action="pay", comment=COMMENT)
        predicted(served, HERS)
        assert run(main, "data", "export", tmp_path / "out.parquet").exit_code == 0
        first, second = pq.read_table(tmp_path / "out.parquet").to_pylist()
        [row] = stored(served)
        [told] = first["reviews"]
        assert (told["review_id"], told["comment"]) == (str(row.request_id), COMMENT)
        assert (told["caller_name"], told["verdict"], told["action"]) == ("tests", "disagree", "pay")
        assert second["reviews"] == []


class TestPurging:
    def test_a_purged_prediction_takes_what_was_said_of_it_along(self, served: Served) -> None:
        old, new = datetime.now(UTC) - timedelta(days=500), datetime.now(UTC)
        past = replace(scored(MINE), id=id_at(old))
        call = replace(make_call(past), id=id_at(old), received_at=old)
        early = replace(reviewing(past.id, "early"), id=id_at(old + timedelta(seconds=1)))
        late = replace(reviewing(past.id, "late"), id=id_at(new))
        kept = uuid.UUID(predicted(served, HERS))
        with_batches_of(served, old, call, early)
        Writer(served.engine).write([entry_of(late), entry_of(reviewing(kept, "kept"))])
        assert verify(served.engine).findings == []
        assert run(main, "data", "purge", "--yes").exit_code == 0
        assert [(row.request_id, row.comment) for row in stored(served) if row.prediction_id == past.id] == [
            (late.id, None)
        ]
        assert [row.comment for row in stored(served) if row.prediction_id == kept] == ["kept"]
        assert verify(served.engine).findings == []


def with_batches_of(served: Served, moment: datetime, *calls: Call) -> None:
    """Write calls of the past, in a batch of that time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("churn.journal.writer.new_id", lambda: id_at(moment + timedelta(seconds=2)))
        Writer(served.engine).write([entry_of(call) for call in calls])


class TestIntegrity:
    @pytest.fixture
    def reviewed(self, served: Served) -> uuid.UUID:
        """Return the id of a review."""
        return uuid.UUID(review(served, predicted(served), comment=COMMENT).headers["X-Request-ID"])

    def test_an_untouched_one_is_as_it_was_written(self, served: Served, reviewed: uuid.UUID) -> None:
        found = verify(served.engine)
        assert (found.findings, found.rows) == ([], 5 + 3)

    @pytest.mark.parametrize("column", ["verdict", "action", "comment", "prediction_id"])
    def test_a_changed_one_is_named(self, served: Served, reviewed: uuid.UUID, column: str) -> None:
        value = new_id() if column == "prediction_id" else "agree"
        with served.engine.begin() as connection:
            connection.execute(update(reviews).values({column: value}))
        [finding] = verify(served.engine).findings
        assert (finding.table, finding.id, finding.message) == ("reviews", reviewed, "changed")

    def test_a_removed_one_is_missed(self, served: Served, reviewed: uuid.UUID) -> None:
        with served.engine.begin() as connection:
            connection.execute(delete(reviews))
        [finding] = verify(served.engine).findings
        assert "1 row of batch" in finding.message

    def test_an_emptied_one_that_nobody_erased_is_named(self, served: Served, reviewed: uuid.UUID) -> None:
        with served.engine.begin() as connection:
            connection.execute(update(reviews).values(comment=None, salt=None))
        [finding] = verify(served.engine).findings
        assert (finding.table, "no act of erasure" in finding.message) == ("reviews", True)

    def test_an_inserted_one_is_named(self, served: Served, reviewed: uuid.UUID) -> None:
        new = new_id()
        with served.engine.begin() as connection:
            row = {"request_id": new, "prediction_id": new_id(), "verdict": "agree", "salt": "0" * 32}
            connection.execute(insert(reviews).values(row))
        [finding] = verify(served.engine).findings
        assert (finding.table, finding.id) == ("reviews", new)


def test_a_spooled_one_is_read_back_and_so_are_calls_from_before_there_were_any() -> None:
    entry = entry_of(reviewing(new_id()))
    assert load(entry.dump()) == entry
    before = entry_of(make_call(scored(7)))
    assert load(orjson.dumps(before.rows[:5])) == before


def test_a_prediction_without_its_input_shows_its_reviews(served: Served) -> None:
    key = predicted(served)
    review(served, key, comment=COMMENT)
    with served.engine.begin() as connection:
        connection.execute(delete(employee_inputs))
    assert [one["comment"] for one in read(served, key).json()["reviews"]] == [COMMENT]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_expected_names_every_choice(language: Language) -> None:
    at = LANGUAGES.index(language)
    assert all(verdict in EXPECTED["verdict"][at] for verdict in VERDICTS)
    assert all(action in EXPECTED["action"][at] for action in ACTIONS)
    assert number(LONGEST_COMMENT, language) in EXPECTED["comment"][at]
