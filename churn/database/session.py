"""How a transaction on PostgreSQL begins: no setting of a role, database or pooler changes a value.

PgBouncer in transaction mode refuses `options` at the start, and gives each transaction another session, with
the settings that others left in it. So nothing is set for a session, and none of its settings is relied on.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from churn.core.errors import DatabaseError

# Other values of these would change the meaning of what is sent and read. Not standard_conforming_strings:
# the driver quotes by its value at connection, and a later change would let texts out of the quotes.
MEANING = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "extra_float_digits": "3",  # floats come back as they were, to the last bit
}
# How long something may take, unless the URL's `options` say otherwise.
LIMITS = {
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",  # a hanging worker blocks nobody for longer
}
_UNLIMITED = {"statement_timeout": "0", "lock_timeout": "0"}
PATIENCE = 15.0  # seconds for one statement, on our side: longer than LIMITS, shorter than callers wait

_STATED = re.compile(r"(?:-c\s*|--)([\w.-]+)\s*=")
# The schemas that have our tables, those of the search path first.
_SCHEMAS = """
SELECT n.nspname, array_position(current_schemas(false), n.nspname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'prediction_results' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
ORDER BY 2, 1
"""


class Session:
    """Begins the transactions of one engine; finds out once which schema has the tables."""

    def __init__(self, url: URL) -> None:
        stated = _STATED.findall(" ".join(url.normalized_query.get("options", ())).lower())
        self._limits = {name: value for name, value in LIMITS.items() if name not in stated}
        # The URL's own limit may be longer.
        self.patience = PATIENCE if "statement_timeout" in self._limits else None
        self._path: dict[str, str] = {}  # empty until the tables are there
        # For transactions of a single message: its first statement, and the prefix of its tables' names.
        # Other settings would cost each commit, and change nothing.
        self.limit = _local({n: v for n, v in self._limits.items() if n == "statement_timeout"})
        self.prefix = ""

    def begin(self, cursor: Any, *, is_patient: bool) -> None:
        """Begin a transaction, with a cursor of the driver's.

        Raises:
            DatabaseError: several schemas have the tables, and the search path names none of them.
        """
        if not self._path:
            self._find_schema(cursor)
        limits = {**self._limits, **_UNLIMITED} if is_patient else self._limits
        cursor.execute(_local({**MEANING, **limits, **self._path}))

    def _find_schema(self, cursor: Any) -> None:
        cursor.execute(_SCHEMAS)
        schemas = cursor.fetchall()
        if len(schemas) > 1 and schemas[0][1] is None:
            names = ", ".join([name for name, _ in schemas])
            raise DatabaseError(
                f"several schemas of the database have churn's tables ({names}), and the search_path of this "
                "role names none of them: ALTER ROLE … SET search_path to the one that is meant"
            )
        if schemas:
            quoted = '"' + schemas[0][0].replace('"', '""') + '"'
            # Temporary tables come last: anybody may have made them.
            self._path, self.prefix = {"search_path": f"{quoted}, pg_temp"}, f"{quoted}."


def with_patience(engine: Engine) -> Engine:
    """Return an engine on the same connections, whose statements may take as long as they need."""
    patient_engine = engine.execution_options()
    if engine.dialect.name == "postgresql":
        event.listen(patient_engine, "engine_connect", _be_patient)
    return patient_engine


def _be_patient(connection: Connection) -> None:
    """Make a connection patient until it returns to the pool."""
    driver_connection: Any = connection.connection.dbapi_connection
    driver_connection.be_patient(is_patient=True)


def _local(settings: Mapping[str, str]) -> str:
    """Return statements, in one message, that set something for the current transaction."""
    # The search path is a list of names, the others are values.
    return ";".join([f"SET LOCAL {n} = {v if n == 'search_path' else repr(v)}" for n, v in settings.items()])
