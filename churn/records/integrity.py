"""Integrity: is the journal as it was written? Names the rows that were changed, removed or inserted.

The journal logs erasures and purges, and rows that these removed are not missed. The newest end of a chain
can be cut off without a trace in the database: keep the `heads` elsewhere.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, exists, func, select

from churn.core.progress import Progress
from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import (
    api_responses,
    employee_inputs,
    features,
    journal_batches,
    outcomes,
    prediction_results,
    requests,
    reviews,
)
from churn.journal.hash_chain import GENESIS, LEAF_BYTES, Link
from churn.journal.operator_actions import ERASE, METHOD, PURGE
from churn.records.sealed_rows import Sealed, rows_of

PAGE = 50  # batches read at a time
MOST_LISTED = 20  # findings
# A purge goes by the age of the requests. A batch that was committed up to this long after the cutoff may
# hold older requests, which were spooled in between.
MAX_DELAY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written: the row, its table, and what happened to it."""

    table: str
    id: uuid.UUID | None
    message: str

    def __str__(self) -> str:
        return f"{self.table} {self.id or ''}: {self.message}".replace(" :", ":")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of a chain."""

    id: uuid.UUID
    sequence: int
    digest: bytes


@dataclass(slots=True)
class IntegrityReport:
    """The result of a walk over the chains; `findings` are the first MOST_LISTED, in order."""

    batches: int = 0
    rows: int = 0
    erased: int = 0
    unsealed: int = 0  # requests from before rows were sealed
    findings: list[Finding] = field(default_factory=list)
    heads: dict[uuid.UUID, Head] = field(default_factory=dict)

    def note(self, table: str, key: uuid.UUID | None, message: str) -> None:
        """Add a finding."""
        if len(self.findings) < MOST_LISTED:
            self.findings.append(Finding(table, key, message))


@dataclass(frozen=True, slots=True)
class _Actions:
    """The rows that were erased on purpose, and the moment before which everything may be purged."""

    predictions: frozenset[uuid.UUID]
    responses: frozenset[uuid.UUID]
    later: frozenset[uuid.UUID]  # reviews and outcomes
    purged: datetime | None

    def covers(self, row: Sealed) -> bool:
        """Return whether a row was erased on purpose."""
        own = {"api_responses": self.responses, "reviews": self.later, "outcomes": self.later}
        return row.id in own.get(row.table, self.predictions)

    def may_lack(self, batch: uuid.UUID) -> bool:
        """Return whether rows of a batch may have been purged."""
        return self.purged is not None and batch < bound(self.purged + MAX_DELAY)


def verify(
    engine: Engine,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 - a default that does nothing
    known: dict[uuid.UUID, Head] | None = None,
) -> IntegrityReport:
    """Walk the chains and compare every row with its digest, in constant memory.

    `known` are heads that were kept elsewhere: they must still be part of their chains.

    Raises:
        DatabaseError: the database does not answer.
    """
    report = IntegrityReport()
    with explained(engine), engine.connect() as connection:
        actions = _actions(connection)
        walk = _Walk(connection, actions, report)
        total = connection.execute(select(func.count()).select_from(journal_batches)).scalar_one()
        for page in _pages(connection):
            walk.follow(page)
            progress(report.batches, total)
        walk.end()
        _find_strangers(connection, report)
        _find_known(connection, known or {}, actions, report)
    return report


def _actions(connection: Connection) -> _Actions:
    query = (
        select(requests.c.route, api_responses.c.body)
        .join(api_responses, api_responses.c.request_id == requests.c.id)
        .where(requests.c.method == METHOD, requests.c.route.in_((ERASE, PURGE)))
    )
    predictions: set[uuid.UUID] = set()
    responses: set[uuid.UUID] = set()
    emptied: set[uuid.UUID] = set()
    purged: list[datetime] = []
    for route, body in connection.execute(query):
        if route == PURGE:
            purged.append(datetime.fromisoformat(body["before"]))
        else:
            predictions |= {uuid.UUID(key) for key in body["predictions"]}
            responses |= {uuid.UUID(key) for key in body["responses"]}
        for table in ("reviews", "outcomes"):  # there were none once
            emptied |= {uuid.UUID(key) for key in body.get(table, ())}
    return _Actions(
        frozenset(predictions), frozenset(responses), frozenset(emptied), max(purged, default=None)
    )


def _pages(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    after = uuid.UUID(int=0)
    query = select(journal_batches).order_by(journal_batches.c.id).limit(PAGE)
    while page := connection.execute(query.where(journal_batches.c.id > after)).all():
        yield page
        after = page[-1].id


class _Walk:
    """Follows the batches in the order of their ids."""

    def __init__(self, connection: Connection, actions: _Actions, report: IntegrityReport) -> None:
        self._connection = connection
        self._actions = actions
        self._report = report
        # Each chain begins on the batch that was then the newest. There are few: one per start of a worker.
        first_links = select(journal_batches.c.previous, journal_batches.c.chain)
        self._awaited = {
            previous: chain
            for previous, chain in connection.execute(first_links.where(journal_batches.c.sequence == 0))
            if previous != GENESIS
        }

    def follow(self, page: Sequence[Row[Any]]) -> None:
        """Check some batches and their rows."""
        rows = rows_of(self._connection, [link.id for link in page])
        for link in page:
            self._link(link)
            self._report.batches += 1
            self._report.rows += len(rows[link.id])
            self._compare(link, rows[link.id])

    def _link(self, link: Row[Any]) -> None:
        report, head = self._report, self._report.heads.get(link.chain)
        batch = Link(link.id, link.chain, link.sequence, link.previous, link.leaves)
        if batch.digest != link.digest:
            report.note("journal_batches", link.id, "changed")
        elif head is None and link.sequence and self._actions.purged is None:
            report.note("journal_batches", None, f"the batches before {link.id} of its chain were removed")
        elif head is not None and (link.sequence, link.previous) != (head.sequence + 1, head.digest):
            message = (
                f"batches between {head.id} and {link.id} of one chain were removed, or their order changed"
            )
            report.note("journal_batches", None, message)
        self._awaited.pop(link.digest, None)
        report.heads[link.chain] = Head(link.id, link.sequence, link.digest)

    def _compare(self, link: Row[Any], rows: Sequence[Sealed]) -> None:
        starts = range(0, len(link.leaves), LEAF_BYTES)
        leaves = [link.leaves[start : start + LEAF_BYTES] for start in starts]
        if len(rows) < len(leaves) and self._actions.may_lack(link.id):
            leaves = leaves[len(leaves) - len(rows) :]  # the oldest requests come first, and are purged first
        if len(rows) != len(leaves):
            self._count_differs(link.id, rows, leaves)
            return
        for row, expected in zip(rows, leaves, strict=True):
            if row.leaf is None and self._actions.covers(row):
                self._report.erased += 1
            elif row.leaf is None:
                self._report.note(row.table, row.id, "its values were removed, and no act of erasure says so")
            elif row.leaf != expected:
                self._report.note(row.table, row.id, "changed")

    def _count_differs(self, batch: uuid.UUID, rows: Sequence[Sealed], leaves: Sequence[bytes]) -> None:
        """Name the first row that is not in the batch, or the place where one is missing."""
        known = set(leaves)
        strange = next((row for row in rows if row.leaf is not None and row.leaf not in known), None)
        if len(rows) > len(leaves):
            message = "inserted" if strange else "a row of its batch is there twice"
            table, key = (strange.table, strange.id) if strange else ("requests", None)
            self._report.note(table, key, message)
            return
        missing = len(leaves) - len(rows)
        lacking = _lacking(rows)
        if lacking:
            self._report.note(lacking[0], lacking[1], "removed")
        else:
            message = f"{missing} row{'s' * (missing > 1)} of batch {batch} removed, with the request"
            self._report.note("requests", None, message)

    def end(self) -> None:
        """Name the chains that begin on a batch that is no longer there."""
        if self._actions.purged is None:
            for chain in self._awaited.values():
                self._report.note("journal_batches", None, f"what chain {chain} was begun on was removed")


def _lacking(rows: Sequence[Sealed]) -> tuple[str, uuid.UUID] | None:
    """Return the first missing row, known from the others of its request or prediction."""
    ids = {table: {row.id for row in rows if row.table == table} for table in {row.table for row in rows}}
    for request in ids.get("requests", ()):
        if request not in ids.get("api_responses", ()):
            return "api_responses", request
    for key in ids.get("employee_inputs", ()):
        for table in ("features", "prediction_results"):
            if key not in ids.get(table, ()):
                return table, key
    return None


def _find_strangers(connection: Connection, report: IntegrityReport) -> None:
    """Name rows that are in no batch: those whose request, or whose input, does not exist."""
    oldest = select(journal_batches.c.id).order_by(journal_batches.c.id).limit(1)
    first = connection.execute(oldest).scalar()
    unsealed = requests.c.batch_id.is_(None)
    older = unsealed if first is None else unsealed & (requests.c.id < first)
    report.unsealed = connection.execute(select(func.count()).select_from(requests).where(older)).scalar_one()
    batch = exists().where(journal_batches.c.id == requests.c.batch_id)
    strange = [(requests, ~older & ~batch, "inserted: no batch has it")]
    known = exists().where(requests.c.id == employee_inputs.c.request_id)
    strange.append((employee_inputs, ~known, "inserted, or its request was removed"))
    for table in (api_responses, reviews, outcomes):
        known = exists().where(requests.c.id == table.c.request_id)
        strange.append((table, ~known, "inserted, or its request was removed"))
    for table in (features, prediction_results):
        known = exists().where(employee_inputs.c.id == table.c.id)
        strange.append((table, ~known, "inserted, or its input was removed"))
    for table, where, message in strange:
        column = table.primary_key.columns[0]
        query = select(column).where(where).order_by(column).limit(MOST_LISTED)
        for key in connection.execute(query).scalars():
            report.note(table.name, key, message)


def _find_known(
    connection: Connection, known: dict[uuid.UUID, Head], actions: _Actions, report: IntegrityReport
) -> None:
    """Name the heads that were kept elsewhere and are no longer in their chains."""
    links: Table = journal_batches
    for chain, head in known.items():
        if actions.purged is not None and head.id < bound(actions.purged):
            continue
        same = links.c.id == head.id, links.c.chain == chain, links.c.digest == head.digest
        if connection.execute(select(links.c.id).where(*same)).scalar() is None:
            report.note("journal_batches", head.id, "a head that was kept is not in its chain any more")
