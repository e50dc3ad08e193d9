"""Entries: the rows of one call in a plain form, for both databases, the spool and the digests.

A row is a list of cells in the order of its table's columns, without `batch_id`. Ids and salts are
hexadecimal text, moments are UTC text to the microsecond, and documents are JSON text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

import orjson

from churn.core.ids import new_id
from churn.database.tables import CALL_TABLES, JOURNAL
from churn.journal.call import Call
from churn.journal.hash_chain import leaf
from churn.journal.salts import new_salt
from churn.schemas.prediction import Scored

Cell = str | int | float | None
Row = list[Cell]
TableRows = tuple[list[Row], list[Row], list[Row], list[Row], list[Row], list[Row], list[Row]]
Pseudonym = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One call, ready to be written: its rows by table, in the order of `tables.CALL_TABLES`.

    `leaves` are the digests of the rows in the same order, 32 bytes each.
    """

    id: str
    rows: TableRows
    leaves: bytes

    def dump(self) -> bytes:
        """Return the rows as one line of JSON, without its newline."""
        return orjson.dumps(self.rows)


def load(line: bytes) -> Entry:
    """Return the entry that `Entry.dump` wrote.

    Raises:
        ValueError: `Entry.dump` did not write this line.
    """
    try:
        rows = tuple(orjson.loads(line))
        if _FEWEST_TABLES <= len(rows) < len(_WIDTHS):  # written before there were reviews, or outcomes
            rows = (*rows, *([] for _ in _WIDTHS[len(rows) :]))
        if any(len(row) != width for table, width in zip(rows, _WIDTHS, strict=True) for row in table):
            raise ValueError("not the rows of these tables")
        return _entry(rows)
    except (TypeError, LookupError) as error:
        raise ValueError("not the rows of a call") from error


def entry_of(call: Call, pseudonym: Pseudonym | None = None) -> Entry:
    """Return the rows of a call, with new salts; `pseudonym` turns an employee's id into the one to store."""
    key = call.id.hex
    inputs: list[Row] = []
    features: list[Row] = []
    results: list[Row] = []
    for position, scored in enumerate(call.scored):
        employee_id, record = _identified(scored, pseudonym)
        scored_id = scored.id.hex
        inputs.append([scored_id, key, position, employee_id, record, new_salt()])
        values, contributions = document(scored.values), document(scored.contributions)
        features.append([scored_id, float(scored.base_value), values, contributions])
        verdict = (scored.model, scored.prediction, float(scored.probability), float(scored.threshold))
        results.append([scored_id, key, call.caller.name, *verdict])
    request, response = [*_request(call), new_salt()], [*_response(call), new_salt()]
    return _entry(([request], inputs, features, results, [response], _reviews(call), _outcomes(call)))


_FEWEST_TABLES = len(JOURNAL)
# The cells of a row by table: those of another version may be more or fewer.
_WIDTHS = [len([column for column in table.columns if column.name != "batch_id"]) for table in CALL_TABLES]


def _request(call: Call) -> Row:
    caller = call.caller
    return [
        call.id.hex,
        moment(call.received_at),
        call.method,
        call.route,
        caller.kind,
        None if caller.id is None else caller.id.hex,
        caller.name,
        call.model,
        call.times,
    ]


def _response(call: Call) -> Row:
    body = None if call.body is None else call.body.decode()
    return [call.id.hex, moment(call.answered_at), call.status, call.duration_ms, body]


def _reviews(call: Call) -> list[Row]:
    review = call.review
    if review is None:
        return []
    told = (review.verdict, review.action, review.comment)
    return [[call.id.hex, review.prediction_id.hex, *told, new_salt()]]


def _outcomes(call: Call) -> list[Row]:
    rows: list[Row] = []
    for outcome in call.outcomes:
        left_on = None if outcome.left_on is None else outcome.left_on.isoformat()
        known_until = outcome.known_until.isoformat()
        rows.append([new_id().hex, call.id.hex, outcome.employee_id, left_on, known_until, new_salt()])
    return sorted(rows, key=itemgetter(0))


def _identified(scored: Scored, pseudonym: Pseudonym | None) -> tuple[str | None, str]:
    employee_id = scored.record.get("employee_id")
    if employee_id is None:
        return None, document(scored.record)
    if pseudonym is None:
        return str(employee_id), document(scored.record)
    hidden = pseudonym(str(employee_id))
    return hidden, document({**scored.record, "employee_id": hidden})


def _entry(rows: TableRows) -> Entry:
    [request], inputs, features, results, [response], reviews, outcomes = rows
    salts = [str(row[-1]) for row in inputs]
    leaves = [leaf("requests", str(request[-1]), request[:-1])]
    leaves += [leaf("employee_inputs", salt, row[:-1]) for salt, row in zip(salts, inputs, strict=True)]
    leaves += [leaf("features", salt, row) for salt, row in zip(salts, features, strict=True)]
    leaves += [leaf("prediction_results", salt, row) for salt, row in zip(salts, results, strict=True)]
    leaves.append(leaf("api_responses", str(response[-1]), response[:-1]))
    leaves += [leaf("reviews", str(row[-1]), row[:-1]) for row in reviews]
    leaves += [leaf("outcomes", str(row[-1]), row[:-1]) for row in outcomes]
    return Entry(str(request[0]), rows, b"".join(leaves))


def document(value: object) -> str:
    """Return a JSON document as it is stored."""
    return orjson.dumps(value).decode()


def moment(value: datetime) -> str:
    """Return a moment as it is stored: UTC, to the microsecond.

    Raises:
        ValueError: it has no time zone.
    """
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]
