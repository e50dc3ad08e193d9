"""What a transaction on PostgreSQL begins with: no setting of a role, database or pooler changes a value.

PgBouncer in transaction mode refuses `options` at the start, and gives each transaction another session,
with what others left in it. So nothing is set for a session, and on nothing that it holds is relied.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from churn.core.errors import DatabaseError

# By these, what is sent or read would mean something else: always ours. Not standard_conforming_strings: the
# driver quotes by what it found when it connected, and a change afterwards would let texts out of the quotes.
MEANING = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "extra_float_digits": "3",  # floats come back as they were, to the last bit
}
# How long something may take: where the URL's `options` say it, that holds.
LIMITS = {
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",  # a worker that hangs holds up nobody for longer
}
_UNLIMITED = {"statement_timeout": "0", "lock_timeout": "0"}
PATIENCE = 15.0  # seconds for one statement, at this end: longer than LIMITS, shorter than callers wait

_STATED = re.compile(r"(?:-c\s*|--)([\w.-]+)\s*=")
# The schemas that have our tables, those of the search path first.
_PLACES = """
SELECT n.nspname, array_position(current_schemas(false), n.nspname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'prediction_results' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
ORDER BY 2, 1
"""


class Session:
    """Begins the transactions of one engine; finds out once in which schema the tables are."""

    def __init__(self, url: URL) -> None:
        stated = _STATED.findall(" ".join(url.normalized_query.get("options", ())).lower())
        self._limits = {name: value for name, value in LIMITS.items() if name not in stated}
        # The URL's own limit may be longer.
        self.patience = PATIENCE if "statement_timeout" in self._limits else None
        self._path: dict[str, str] = {}  # none until the tables are there
        # For statements that are, in one message, a whole transaction: the first of them, and what goes
        # before the names of tables. All else that could be set would cost each commit, and change nothing.
        self.limit = _local({n: v for n, v in self._limits.items() if n == "statement_timeout"})
        self.prefix = ""

    def begin(self, cursor: Any, *, is_patient: bool) -> None:
        """Begin a transaction, by a cursor of the driver's.

        Raises:
            DatabaseError: several schemas have some of the tables, and the search path leads to none of them.
        """
        if not self._path:
            self._find(cursor)
        limits = {**self._limits, **_UNLIMITED} if is_patient else self._limits
        cursor.execute(_local({**MEANING, **limits, **self._path}))

    def _find(self, cursor: Any) -> None:
        cursor.execute(_PLACES)
        places = cursor.fetchall()
        if len(places) > 1 and places[0][1] is None:
            names = ", ".join([place[0] for place in places])
            raise DatabaseError(
                f"several schemas of the database have churn's tables ({names}), and the search_path of this "
                "role names none of them: ALTER ROLE … SET search_path to the one that is meant"
            )
        if places:
            quoted = '"' + places[0][0].replace('"', '""') + '"'
            # Temporary tables, which may be anybody's, come last.
            self._path, self.prefix = {"search_path": f"{quoted}, pg_temp"}, f"{quoted}."


def patient(engine: Engine) -> Engine:
    """Return an engine on the same connections, whose statements may take as long as they need."""
    found = engine.execution_options()
    if engine.dialect.name == "postgresql":
        event.listen(found, "engine_connect", _be_patient)
    return found


def _be_patient(connection: Connection) -> None:
    """Have a connection wait until the pool has it back."""
    line: Any = connection.connection.dbapi_connection
    line.be_patient(is_patient=True)


def _local(settings: Mapping[str, str]) -> str:
    """Return statements that set something for the transaction that is open, one message without its end."""
    # The search path is a list of names, the others are values.
    return ";".join([f"SET LOCAL {n} = {v if n == 'search_path' else repr(v)}" for n, v in settings.items()])
