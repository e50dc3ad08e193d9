"""Reading bodies; the same refusals on the real service are in test_service."""

import json

import pytest

from churn.errors import InvalidInputError, PayloadTooLargeError
from churn.schemas import EXAMPLE
from churn.web.intake import MAX_ROWS, read_many, read_one


def entries(body: object, *, many: bool = False) -> list[tuple[tuple[str | int, ...], str, str | None]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidInputError, match="invalid field") as caught:
        read_many(raw) if many else read_one(raw)
    return [(error.loc, error.kind, error.field) for error in caught.value.errors]


def test_a_valid_employee_is_read() -> None:
    assert read_one(json.dumps(EXAMPLE).encode()).record()["heure_supplementaires"] == "Oui"


def test_a_batch_is_read_in_order() -> None:
    rows = [{**EXAMPLE, "employee_id": n} for n in (3, 1, 2)]
    assert [employee.employee_id for employee in read_many(json.dumps(rows).encode())] == [3, 1, 2]


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
    assert len(read_many(json.dumps(rows).encode())) == MAX_ROWS
    with pytest.raises(PayloadTooLargeError, match="over 10000 rows"):
        read_many(json.dumps([*rows, EXAMPLE]).encode())
