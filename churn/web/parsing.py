"""Parsing: what is in a JSON body, above all employees, or one error for each offending field."""

import json
import math
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from churn.core.errors import FieldError, InvalidInputError, PayloadTooLargeError
from churn.core.language import LANGUAGES, Pair
from churn.i18n import body_hints
from churn.i18n.expectations import expected
from churn.schemas.employee import Employee, RequestModels, WhatIfQuestion

MAX_BYTES = 1024**2  # of one employee
MAX_BATCH_BYTES = 32 * 1024**2
MAX_OUTCOMES_BYTES = 4 * 1024 * 1024  # ten thousand, with ids of 64 characters
MAX_REVIEW_BYTES = 32 * 1024  # a comment whose every character is escaped, and some
MAX_ROWS = 10_000
MAX_ERRORS = 50  # entries of one refusal
MAX_NAME = 64  # characters of an unknown field's name that are told back

_INDEX = re.compile(r"Unnamed: [0-9]{1,4}|index|level_[0-9]|__index_level_[0-9]__")  # of pandas' making

Place = tuple[str | int, ...]
Record = TypeVar("Record", bound=Employee)
Asked = TypeVar("Asked", bound=BaseModel)


class Parser:
    """Reads bodies of JSON about the employees of one company."""

    def __init__(self, models: RequestModels) -> None:
        self._models = models
        self._names, self._target = models.dictionary.names, models.dictionary.target

    def read_one(self, body: bytes) -> Employee:
        """Return the employee in a JSON body.

        Raises:
            InvalidInputError: it holds none; one entry per offending field.
        """
        return self.employee(parse(body))

    def employee(self, record: object) -> Employee:
        """Return the employee in a record, as it may be in JSON.

        Raises:
            InvalidInputError: it is none; one entry per offending field.
        """
        employees, errors = self._validate(self._models.employee, [record], ("body",))
        if errors and (level := self._level(record)) is not None:
            errors = [FieldError(("body", readable(level)), "unknown_field", expected=body_hints.A_LEVEL)]
        _refuse_any(errors)
        return employees[0]

    def read_many(self, body: bytes) -> list[Employee]:
        """Return the employees in a JSON list, all of them or none.

        Raises:
            InvalidInputError: one of them is invalid; one entry per offending field, with its row.
            PayloadTooLargeError: there are more than `MAX_ROWS`.
        """
        parsed = parse(body) if len(body) <= MAX_BYTES else _parse_rows(body)
        if not isinstance(parsed, list):
            raise InvalidInputError([FieldError(("body",), "list_type")])
        if len(parsed) > MAX_ROWS:
            raise PayloadTooLargeError(MAX_ROWS, "row")
        if not parsed:
            raise InvalidInputError([FieldError(("body",), "too_short")])
        employees, errors = self._validate(self._models.employee, parsed)
        _refuse_any(errors)
        return employees

    def read_what_if(self, body: bytes) -> WhatIfQuestion:
        """Return the employee and the changes in a JSON body.

        Raises:
            InvalidInputError: it holds none; one entry per offending field of both.
        """
        return self.what_if(parse(body))

    def what_if(self, parsed: object) -> WhatIfQuestion:
        """Return the employee and the changes in a question, as it may be in JSON.

        Raises:
            InvalidInputError: it holds none; one entry per offending field of both.
        """
        if not isinstance(parsed, dict):
            raise InvalidInputError([FieldError(("body",), "object_type")])
        if "employee" not in parsed:
            raise InvalidInputError([FieldError(("body", "employee"), "missing")])
        models = self._models
        employees, errors = self._validate(models.employee, [parsed.pop("employee")], ("body", "employee"))
        changes, more = self._validate(models.changes, [parsed.pop("changes", {})], ("body", "changes"))
        unknown = [FieldError(("body", readable(name)), "unknown_field") for name in parsed]
        _refuse_any([*errors, *more, *unknown])
        return models.question(employee=employees[0], changes=changes[0])

    def _validate(
        self, kind: type[Record], records: list[object], at: Place = ()
    ) -> tuple[list[Record], list[FieldError]]:
        """Return the valid records and what is wrong with the others.

        `at` is the place of the only record; without it, each has its row.
        """
        valid: list[Record] = []
        errors: list[FieldError] = []
        for row, record in enumerate(records):
            try:
                valid.append(kind.model_validate(record))
            except ValidationError as error:
                place = at or ("body", row)
                details = error.errors(include_url=False, include_context=False)
                errors += [self._field_error(detail, place) for detail in details]
            if len(errors) > MAX_ERRORS:
                break
        return valid, errors

    def _level(self, record: object) -> str | None:
        """Return what stands around the fields in a record that has none itself."""
        if not isinstance(record, dict) or any(self._names.field_of(name) for name in record):
            return None
        return next((name for name, value in record.items() if isinstance(value, dict | list)), None)

    def _field_error(self, error: ErrorDetails, place: Place) -> FieldError:
        """Return our entry for one of pydantic's: the place and the field, never the value."""
        spelling = next((part for part in error["loc"] if isinstance(part, str)), None)
        known = self._names.field_of(spelling) if spelling else None
        kind = error["type"]
        if kind == "extra_forbidden":
            kind = (
                "unknown_field" if known is None else "target" if known is self._target else "duplicate_field"
            )
            known = known or self._names.meant(spelling or "")
        elif kind == "finite_number" and error["input"] == math.inf:
            kind = "less_than_equal"
        elif kind in ("model_type", "model_attributes_type", "dict_type"):
            kind = "object_type"
        elif known is not None and known.role == "core" and error["input"] is None:
            kind = "missing"
        at = place if spelling is None else (*place, readable(spelling))
        if known is None:
            return FieldError(at, kind, expected=_hint(kind, spelling, error["input"]))
        too_large = kind == "less_than_equal"
        french, english = (expected(known, language, too_large=too_large) for language in LANGUAGES)
        if kind == "finite_number":
            french, english = (
                hint.format(expected=about)
                for hint, about in zip(body_hints.NOT_A_NUMBER, (french, english), strict=True)
            )
        return FieldError(at, kind, known.name, (french, english))


def _hint(kind: str, spelling: str | None, value: object) -> Pair | None:
    """Return what can be told of something that is no field or no employee."""
    if kind == "object_type" and isinstance(value, list):
        return body_hints.A_LIST
    is_index = kind == "unknown_field" and spelling is not None and _INDEX.fullmatch(spelling) is not None
    return body_hints.AN_INDEX if is_index else None


def validated(kind: type[Asked], parsed: object, explain: Callable[[Place, str], FieldError]) -> Asked:
    """Return what is asked, as it may be in JSON; `explain` makes an error of pydantic's place and kind.

    Raises:
        InvalidInputError: it is none; one entry per offending field.
    """
    try:
        return kind.model_validate(parsed)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidInputError([explain(d["loc"], d["type"]) for d in details[:MAX_ERRORS]]) from None


def parse(body: bytes, at: Place = ("body",)) -> object:
    """Return the content of a JSON body.

    Raises:
        InvalidInputError: it is none.
    """
    if not body.strip():
        raise InvalidInputError([FieldError(at, "empty_body")])
    try:
        return _JSON.decode(body.decode())
    except (ValueError, RecursionError) as error:
        # Chained from nothing: the parser's message may quote the body.
        hint = _encoding_hint(body, error)
        raise InvalidInputError([FieldError(at, "json_invalid", expected=hint)]) from None


def _encoding_hint(body: bytes, error: Exception) -> Pair | None:
    """Return what is wrong with how the text of a body is written, if that is why it is no JSON."""
    if body.startswith(BOM_UTF8):
        return body_hints.A_MARK
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in body[:2]:
        return body_hints.UTF_16
    return body_hints.NOT_UTF_8 if isinstance(error, UnicodeDecodeError) else None


# What is between two tokens, in bounded time and never read twice: hence the possessive `*+`.
_SPACE = rb"[ \t\n\r]*+"
_PAST_SPACE, _BEGIN = re.compile(_SPACE), re.compile(_SPACE + rb"\[")
_ROW = re.compile(
    _SPACE + rb'(\{(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+\})' + _SPACE + rb"([],])",
    re.DOTALL,
)


def _parse_rows(body: bytes) -> list[object]:
    """Return the objects of a long list, read one by one.

    The parser lets nothing else of this process run until it is done: of 32 MiB, for a second.
    """
    begun = _BEGIN.match(body, 0, MAX_BYTES)
    if begun is None:
        raise InvalidInputError([FieldError(("body",), "list_type")])
    rows: list[object] = []
    at, is_last = begun.end(), False
    while not is_last:
        if len(rows) == MAX_ROWS:
            raise PayloadTooLargeError(MAX_ROWS, "row")
        row = _ROW.match(body, at, at + MAX_BYTES)
        if row is None:
            raise InvalidInputError([FieldError(("body", len(rows)), "flat_object")])
        rows.append(parse(row[1], ("body", len(rows))))
        at, is_last = row.end(), row[2] == b"]"
    past = _PAST_SPACE.match(body, at, at + MAX_BYTES)
    if past is None or past.end() < len(body):
        raise InvalidInputError([FieldError(("body",), "json_invalid")])
    return rows


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; JSON itself would let the last of two values win, silently."""
    members = dict(pairs)
    if len(members) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        repeated = next(name for name, times in counted.items() if times > 1)
        raise InvalidInputError([FieldError(("body", readable(repeated)), "repeated_field")])
    return members


# Made once: `json.loads` makes one a call where there is a hook.
_JSON = json.JSONDecoder(object_pairs_hook=_once_each)


def _refuse_any(errors: list[FieldError]) -> None:
    """Raise where there are errors, listed up to `MAX_ERRORS`."""
    if len(errors) > MAX_ERRORS:
        errors = [*errors[:MAX_ERRORS], FieldError(("body",), "more_errors")]
    if errors:
        raise InvalidInputError(errors)


def readable(name: str) -> str:
    """Return an unknown name as it may be told back and stored: short, and without control characters."""
    return "".join(islice((character for character in name if character.isprintable()), MAX_NAME))
