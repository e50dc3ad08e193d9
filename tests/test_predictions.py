"""Reading bodies; the same refusals on the real service are in test_service."""

import json
import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from churn.core.errors import InvalidInputError, PayloadTooLargeError
from churn.i18n.refusal_sentences import field_error
from churn.web.endpoints import body_reader
from churn.web.parsing import MAX_BYTES, MAX_ERRORS, MAX_ROWS, Parser
from churn.web.routes import ROUTES, JsonBody
from harness.servers import PATIENCE
from tests.conftest import Served
from tests.support.company import EXAMPLE, PARSER

JSON = {"Content-Type": "application/json"}

Entry = tuple[tuple[str | int, ...], str, str | None]


def refused(read: Callable[[bytes], object], body: object) -> list[Entry]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidInputError, match="invalid field") as caught:
        read(raw)
    return [(error.loc, error.kind, error.field) for error in caught.value.errors]


def entries(body: object, *, many: bool = False) -> list[Entry]:
    return refused(PARSER.read_many if many else PARSER.read_one, body)


def test_a_valid_employee_is_read() -> None:
    assert PARSER.read_one(json.dumps(EXAMPLE).encode()).record()["heure_supplementaires"] == "Oui"


def test_a_batch_is_read_in_order() -> None:
    rows = [{**EXAMPLE, "employee_id": n} for n in (3, 1, 2)]
    read = PARSER.read_many(json.dumps(rows).encode())
    assert [employee.record()["employee_id"] for employee in read] == [3, 1, 2]


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_said_to_be_empty(body: bytes) -> None:
    assert entries(body) == [(("body",), "empty_body", None)]
    assert entries(body, many=True) == [(("body",), "empty_body", None)]


@pytest.mark.parametrize(
    "body", [b"{", b'{"a":}', b"\xff\xfe", b'{"a": "\xff"}', b"[" * 100_000, b'{"a": 1} x']
)
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    assert entries(body) == [(("body",), "json_invalid", None)]
    assert entries(body, many=True) == [(("body",), "json_invalid", None)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (json.dumps({**EXAMPLE, "poste": "Représentant"}, ensure_ascii=False).encode("latin-1"), "not UTF-8"),
        (json.dumps(EXAMPLE).encode("utf-8-sig"), "begins with a byte order mark"),
        (json.dumps(EXAMPLE).encode("utf-16"), "it is UTF-16"),
        (json.dumps(EXAMPLE).encode("utf-16-le"), "it is UTF-16"),
        (json.dumps([EXAMPLE]).encode(), "goes to /predict_batch"),
        (json.dumps({"employee": EXAMPLE}).encode(), "without this level"),
        (json.dumps({"columns": list(EXAMPLE), "data": [list(EXAMPLE.values())]}).encode(), "this level"),
        (json.dumps({**EXAMPLE, "Unnamed: 0": 0}).encode(), "an index that pandas wrote"),
        (json.dumps({**EXAMPLE, "niveau_education": math.nan}).encode(), "from 1 to 5; NaN is no number"),
    ],
    ids=["Latin-1", "BOM", "UTF-16", "UTF-16 without a mark", "list", "level", "split", "index", "NaN"],
)
def test_what_people_send_instead_is_told_by_its_cause(body: bytes, says: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        PARSER.read_one(body)
    [error] = refusal.value.errors
    assert says in field_error(error, "en")
    assert field_error(error, "fr") != field_error(error, "en")


@pytest.mark.parametrize("body", [[], None, 3, "texte", True])
def test_an_employee_is_an_object(body: object) -> None:
    assert entries(body) == [(("body",), "object_type", None)]


@pytest.mark.parametrize("body", [{}, None, 3, "texte"])
def test_a_batch_is_a_list(body: object) -> None:
    assert entries(body, many=True) == [(("body",), "list_type", None)]


def test_an_empty_batch_is_refused() -> None:
    assert entries([], many=True) == [(("body",), "too_short", None)]


def test_every_bad_field_has_one_entry() -> None:
    bad = {**EXAMPLE, "age": "vieux", "poste": 3, "couleur": 1, "pee": 1, "a_quitte_l_entreprise": "Non"}
    del bad["revenu_mensuel"]
    assert sorted(entries(bad)) == sorted(
        [
            (("body", "age"), "number_type", "age"),
            (("body", "poste"), "literal_error", "poste"),
            (("body", "couleur"), "unknown_field", None),
            (("body", "pee"), "duplicate_field", "nombre_participation_pee"),
            (("body", "a_quitte_l_entreprise"), "target", "a_quitte_l_entreprise"),
            (("body", "revenu_mensuel"), "missing", "revenu_mensuel"),
        ]
    )


def test_the_errors_of_a_batch_name_their_rows() -> None:
    rows = [EXAMPLE, {**EXAMPLE, "age": 17}, EXAMPLE, {**EXAMPLE, "genre": "X"}, 5]
    assert entries(rows, many=True) == [
        (("body", 1, "age"), "greater_than_equal", "age"),
        (("body", 3, "genre"), "literal_error", "genre"),
        (("body", 4), "object_type", None),
    ]


def test_the_name_of_an_unknown_field_is_cut() -> None:
    [(loc, kind, _)] = entries({**EXAMPLE, "x" * 1000: 1})
    assert (loc, kind) == (("body", "x" * 64), "unknown_field")


def test_a_batch_has_a_largest_size() -> None:
    rows = [EXAMPLE] * MAX_ROWS
    assert len(PARSER.read_many(json.dumps(rows).encode())) == MAX_ROWS
    with pytest.raises(PayloadTooLargeError, match="over 10000 rows"):
        PARSER.read_many(json.dumps([*rows, EXAMPLE]).encode())


def test_a_core_field_that_is_null_is_missing() -> None:
    assert entries({**EXAMPLE, "revenu_mensuel": None, "heures_supp": None}) == [
        (("body", "revenu_mensuel"), "missing", "revenu_mensuel"),
        (("body", "heures_supp"), "duplicate_field", "heure_supplementaires"),
    ]
    for name in EXAMPLE:
        assert entries({**EXAMPLE, name: None}) == [(("body", name), "missing", name)]


def test_a_list_that_is_too_long_is_cut() -> None:
    assert len(entries([{}] * MAX_ERRORS, many=True)) == MAX_ERRORS + 1
    assert entries([{}] * MAX_ERRORS, many=True)[-1] == (("body",), "more_errors", None)


class TestWhatIf:
    """An employee and some changes: each is read as an employee is, at its own place."""

    def changed(self, changes: dict[str, Any]) -> dict[str, Any]:
        before = {**EXAMPLE, "poste": "Manager", "employee_id": 12}
        question = PARSER.read_what_if(json.dumps({"employee": before, "changes": changes}).encode())
        assert question.employee.record() == {**question.employee.record(), **before}
        old, new = question.employee.record(), question.changed().record()
        assert list(old) == list(new)
        return {name: new[name] for name in old if new[name] != old[name]}

    def test_only_what_is_changed_changes(self) -> None:
        assert self.changed({}) == {}
        assert self.changed({"revenu_mensuel": EXAMPLE["revenu_mensuel"]}) == {}
        assert self.changed({"revenu_mensuel": 3000, "genre": "M"}) == {"revenu_mensuel": 3000, "genre": "M"}

    def test_aliases_and_spellings_are_those_of_an_employee(self) -> None:
        changes = {"Heures_Supp": "non", "PEA": 2.0, "augementation_salaire_precedente": "12 %"}
        assert self.changed(changes) == {
            "heure_supplementaires": "Non",
            "nombre_participation_pee": 2,
            "augmentation_salaire_precedente": 12,
        }

    def test_null_makes_an_optional_field_unknown(self) -> None:
        assert self.changed({"poste": None, "departement": None}) == {"poste": None}

    @pytest.mark.parametrize("name", list(EXAMPLE))
    def test_a_core_field_cannot_become_unknown(self, name: str) -> None:
        body = {"employee": EXAMPLE, "changes": {name: None}}
        assert refused(PARSER.read_what_if, body) == [(("body", "changes", name), "missing", name)]

    def test_every_bad_field_of_both_has_one_entry_at_its_place(self) -> None:
        body = {
            "employee": {**EXAMPLE, "age": 17, "couleur": 1},
            "changes": {
                "id_employee": 12, "a_quitte_l_entreprise": "Non", "couleur": 1, "genre": "X",
                "pee": 1, "nombre_participation_pee": 1,
            },
        }  # fmt: skip
        assert sorted(refused(PARSER.read_what_if, body)) == sorted(
            [
                (("body", "employee", "age"), "greater_than_equal", "age"),
                (("body", "employee", "couleur"), "unknown_field", None),
                (("body", "changes", "employee_id"), "same_person", "employee_id"),
                (("body", "changes", "a_quitte_l_entreprise"), "target", "a_quitte_l_entreprise"),
                (("body", "changes", "couleur"), "unknown_field", None),
                (("body", "changes", "genre"), "literal_error", "genre"),
                (("body", "changes", "pee"), "duplicate_field", "nombre_participation_pee"),
            ]
        )

    @pytest.mark.parametrize(
        ("body", "loc", "kind"),
        [
            ([], ("body",), "object_type"),
            (None, ("body",), "object_type"),
            (EXAMPLE, ("body", "employee"), "missing"),
            ({"changes": {}}, ("body", "employee"), "missing"),
            ({"employee": None}, ("body", "employee"), "object_type"),
            ({"employee": [EXAMPLE]}, ("body", "employee"), "object_type"),
            ({"employee": EXAMPLE, "changes": None}, ("body", "changes"), "object_type"),
            ({"employee": EXAMPLE, "changes": []}, ("body", "changes"), "object_type"),
            ({"employee": EXAMPLE, "x\u0000" + "y" * 80: 1}, ("body", "x" + "y" * 63), "unknown_field"),
            ({"employee": EXAMPLE, "changes": {f"f{n}": n for n in range(201)}},
             ("body", "changes"), "too_many_fields"),
            (b"", ("body",), "empty_body"),
            (b"{", ("body",), "json_invalid"),
            (b'{"employee": {}, "employee": {}}', ("body", "employee"), "repeated_field"),
        ],
    )  # fmt: skip
    def test_what_is_no_what_if(self, body: object, loc: tuple[str, ...], kind: str) -> None:
        assert refused(PARSER.read_what_if, body) == [(loc, kind, None)]

    def test_what_is_listed_has_an_end(self) -> None:
        body = {"employee": EXAMPLE} | {f"f{n}": n for n in range(1000)}
        found = refused(PARSER.read_what_if, body)
        assert (len(found), found[-1]) == (MAX_ERRORS + 1, (("body",), "more_errors", None))


class TestMemory:
    """What is held of bodies at once is bounded, and let go whatever comes of them."""

    @pytest.fixture(autouse=True)
    def _little(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_reader, "MAX_HELD", 20_000 * body_reader.SHARE)

    def test_a_body_without_room_is_asked_to_come_again(self, served: Served) -> None:
        response = served.client.post("/predict_batch", content=padded([EXAMPLE], 20_001), headers=JSON)
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0

    @pytest.mark.parametrize("body", [[EXAMPLE], [{}], "no list"], ids=["good", "bad", "no list"])
    def test_a_body_that_was_answered_makes_room(self, served: Served, body: object) -> None:
        statuses = {
            served.client.post("/predict_batch", content=padded(body, 19_000), headers=JSON).status_code
            for _ in range(3)
        }
        assert statuses == {200 if body == [EXAMPLE] else 422}

    def test_small_bodies_need_no_room(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_reader, "MAX_HELD", 0)
        assert served.client.post("/predict", json=EXAMPLE).status_code == 200
        refused = served.client.post("/predict", content=padded(EXAMPLE, body_reader.SMALL + 1), headers=JSON)
        assert refused.status_code == 503

    def test_a_body_that_was_refused_makes_room(self, served: Served) -> None:
        for _ in range(3):
            assert served.client.post("/predict", content=b" " * 20_001, headers=JSON).status_code == 503
        assert served.client.post("/predict", json=EXAMPLE).status_code == 200


def padded(body: object, size: int) -> bytes:
    """Return a body of some bytes, most of them space."""
    return json.dumps(body).encode().ljust(size)


class TestLarge:
    """Large bodies of one employee are answered one at a time, whatever becomes of who sent them."""

    def test_one_that_is_still_read_keeps_its_turn_after_the_deadline(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, goes_on = [], threading.Event()

        def read(parser: Parser, body: bytes) -> object:
            begun.append(body)
            assert goes_on.wait(PATIENCE)
            return parser.read_one(body)

        large = padded(EXAMPLE, body_reader.SMALL + 1)
        with monkeypatch.context() as patched:
            slow = replace(ROUTES["/predict"], body=JsonBody(read, MAX_BYTES), deadline=0.5)
            patched.setitem(ROUTES, "/predict", slow)
            for _ in range(2):
                late = served.client.post("/predict", content=large, headers=JSON)
                assert late.status_code == 504
        assert len(begun) == 1
        goes_on.set()
        after = served.client.post("/predict", content=large, headers=JSON)
        assert after.status_code == 200
        assert len(begun) == 1
