"""What a transaction on PostgreSQL begins with: no setting of a role, database or pooler changes a value.

PgBouncer in transaction mode refuses `options` at the start, and gives each transaction another session,
with what others left in it. So nothing is set for a session, and on nothing that it holds is relied.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from churn.errors import DatabaseError

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

# Options of connections: that they are patient, and the engine's Session.
_PATIENT, _SESSION = "churn_patient", "churn_session"

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
        self._schema: str | None = None

    def attach(self, engine: Engine) -> None:
        """Begin every transaction of an engine from now on."""
        engine.update_execution_options(**{_SESSION: self})
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "checkin", self._rest)

    def opening(self) -> str:
        """Return what goes before statements that are, in one message with it, a whole transaction."""
        return _local({**self._limits, **self._path()})

    def _begin(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        is_patient = bool(options.get(_PATIENT))
        self._bound(connection.connection.dbapi_connection, is_patient=is_patient)
        if options.get("isolation_level") == "AUTOCOMMIT":  # no transaction to set anything for
            return
        if self._schema is None:
            self._schema = _schema(connection)
        limits = {**self._limits, **_UNLIMITED} if is_patient else self._limits
        text = _local({**MEANING, **limits, **self._path()})
        connection.exec_driver_sql(text, execution_options={"no_parameters": True})

    def _rest(self, line: Any, _: object) -> None:
        """Bound the connection's next use, by the pool itself."""
        if line is not None:
            self._bound(line, is_patient=False)

    def _bound(self, line: Any, *, is_patient: bool) -> None:
        """Say for how long a statement may keep this end waiting; the URL's own limit may be longer."""
        line.patience = None if is_patient or "statement_timeout" not in self._limits else PATIENCE

    def _path(self) -> dict[str, str]:
        """Return the search path; temporary tables, which may be anybody's, come last."""
        return {"search_path": f"{self._schema}, pg_temp"} if self._schema else {}


def patient(engine: Engine) -> Engine:
    """Return an engine on the same connections, whose statements may take as long as they need."""
    return engine.execution_options(**{_PATIENT: True})


def opening(connection: Connection) -> str:
    """Return what goes before statements on a connection that commits by itself; empty on any other."""
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        return ""
    session: Session = options[_SESSION]
    return session.opening()


def _schema(connection: Connection) -> str | None:
    """Return the quoted name of the schema that has the tables; None where none has.

    Raises:
        DatabaseError: several have some, and the search path leads to none of them.
    """
    places = connection.exec_driver_sql(_PLACES).all()
    if len(places) > 1 and places[0][1] is None:
        names = ", ".join([place[0] for place in places])
        raise DatabaseError(
            f"several schemas of the database have churn's tables ({names}), and the search_path of this "
            "role names none of them: ALTER ROLE … SET search_path to the one that is meant"
        )
    return '"' + places[0][0].replace('"', '""') + '"' if places else None


def _local(settings: Mapping[str, str]) -> str:
    """Return statements that set something for the transaction that is open, in one message."""
    # The search path is a list of names, the others are values.
    return "".join([f"SET LOCAL {n} = {v if n == 'search_path' else repr(v)};" for n, v in settings.items()])
