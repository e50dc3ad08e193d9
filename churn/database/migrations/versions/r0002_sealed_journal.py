"""The journal in monthly partitions, sealed by batches; one id for input, features and result.

PostgreSQL is migrated while the service of before answers: new tables are filled beside the old ones in
small transactions, a trigger carries what is written meanwhile, and one short transaction puts the new
tables in the place of the old. Interrupted, it goes on where it was. From then on the service of before
logs nothing and answers 503: start the new one. The way back is one transaction, with the service stopped;
salts, batches and what else only this revision has are lost on it. SQLite goes both ways in one transaction.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from churn.database.locks import patiently
from churn.database.migrations import carry0002
from churn.database.migrations.versions.r0001_first_schema import create_journal as create_journal_0001
from churn.database.months import Month, months_in

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHUNK = 200  # requests carried in one transaction, each with up to a thousand predictions
_AHEAD = 3  # months that get a partition beforehand

_MOMENT = sa.DateTime(timezone=True)
_DOCUMENT = sa.JSON()
_OLD = ("requests", "employee_inputs", "features", "prediction_results", "api_responses")
_NEW = (*_OLD, "journal_batches")
_ASIDE = "_0002"  # what the name of a table ends in while it is filled, or emptied


def upgrade() -> None:
    """Carry the journal over to the new tables."""
    if not _is_postgresql():
        _set_aside(_OLD)
        _create("")
        _carry(carry0002.FORWARD)
        _drop(_ASIDE, _OLD)
        return
    connection = op.get_bind()
    if not sa.inspect(connection).has_table("journal_batches" + _ASIDE):
        _prepare(connection)
    with op.get_context().autocommit_block():  # what is prepared is committed, and nothing held meanwhile
        _fill(op.get_bind().engine)
    patiently(op.get_bind(), _switch)


def downgrade() -> None:
    """Carry the journal back to the tables of before."""
    _set_aside(_NEW)
    create_journal_0001()
    _carry(carry0002.BACK)
    if _is_postgresql():
        for table in _OLD:
            carry0002.copy_grants(op.get_bind(), table + _ASIDE, table)
    _drop(_ASIDE, _NEW)


def _prepare(connection: sa.Connection) -> None:
    """Create the new tables beside the old ones, and let a trigger carry what is written from now on."""
    _create(_ASIDE)
    months = set(Month.of(datetime.now(UTC)).through(_AHEAD))
    for table in ("requests", "prediction_results"):
        months |= set(months_in(connection, table, "id", max(months)))
    for table in _NEW:
        aside = table + _ASIDE
        for month in sorted(months):
            op.execute(f"CREATE TABLE {month.partition(table)} PARTITION OF {aside} {month.bounds}")
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {aside} DEFAULT")
        carry0002.copy_grants(connection, table if table in _OLD else "requests", aside)
    carry0002.install(connection, target=_ASIDE)
    patiently(connection, partial(op.execute, carry0002.TRIGGER))


def _fill(engine: sa.Engine) -> None:
    """Carry what was written before, in the order of the requests; each chunk in its own transaction."""
    is_left = True
    while is_left:
        with engine.begin() as connection:
            is_left = carry0002.carry_chunk(connection, CHUNK)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE " + ", ".join([table + _ASIDE for table in _NEW]))


def _switch() -> None:
    # In the order in which the service writes: the two wait for each other, and do not lock each other out.
    op.execute(f"LOCK TABLE {', '.join(_OLD)} IN ACCESS EXCLUSIVE MODE")
    _drop("", _OLD)
    carry0002.uninstall(op.get_bind())
    for table in _NEW:
        _rename(table + _ASIDE, table)


def _carry(statements: carry0002.Statements) -> None:
    """Carry everything from the tables that are set aside."""
    for statement in carry0002.render(statements, source=_ASIDE, is_postgresql=_is_postgresql()):
        op.execute(statement)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _set_aside(tables: tuple[str, ...]) -> None:
    for table in tables:
        _rename(table, table + _ASIDE)


def _rename(table: str, name: str) -> None:
    """Rename a table and its indexes; SQLite renames no index, so there they go."""
    indexes = _indexes(table)
    op.rename_table(table, name)
    for index in indexes:
        if _is_postgresql():
            op.execute(f"ALTER INDEX {index} RENAME TO {index.replace(table, name)}")
        else:
            op.drop_index(index)


def _indexes(table: str) -> list[str]:
    """Return the names of a table's indexes; on PostgreSQL also of those behind its constraints."""
    connection = op.get_bind()
    if not _is_postgresql():
        return [str(index["name"]) for index in sa.inspect(connection).get_indexes(table)]
    query = sa.text(
        "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = CAST(:t AS regclass)"
    )
    return list(connection.execute(query, {"t": table}).scalars())


def _drop(suffix: str, tables: tuple[str, ...]) -> None:
    for table in reversed(tables):  # what refers to another first
        op.drop_table(table + suffix)


def _create(suffix: str) -> None:
    """Create the new tables; on PostgreSQL partitioned by their keys."""

    def table(name: str, key: str, *columns: sa.Column[Any]) -> None:
        key_column = sa.Column(key, sa.Uuid, primary_key=True)
        by_key: Any = {"postgresql_partition_by": f"RANGE ({key})"}
        op.create_table(name + suffix, key_column, *columns, **by_key)

    table(
        "requests",
        "id",
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("caller_kind", sa.String(16), nullable=False),
        sa.Column("caller_id", sa.Uuid),
        sa.Column("caller_name", sa.String(64)),
        sa.Column("model", sa.String(128)),
        sa.Column("times", sa.Integer, nullable=False, server_default="1"),
        sa.Column("salt", sa.String(32)),
        sa.Column("batch_id", sa.Uuid, index=True),
    )
    table(
        "api_responses",
        "request_id",
        sa.Column("answered_at", _MOMENT, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("body", _DOCUMENT),
        sa.Column("salt", sa.String(32)),
    )
    table(
        "employee_inputs",
        "id",
        sa.Column("request_id", sa.Uuid, nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("employee_id", sa.String(64)),
        sa.Column("record", _DOCUMENT),
        sa.Column("salt", sa.String(32)),
    )
    table(
        "features",
        "id",
        sa.Column("base_value", sa.Float, nullable=False),
        sa.Column("values", _DOCUMENT),
        sa.Column("contributions", _DOCUMENT),
    )
    table(
        "prediction_results",
        "id",
        sa.Column("request_id", sa.Uuid, nullable=False),
        sa.Column("caller_name", sa.String(64)),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("prediction", sa.SmallInteger),
        sa.Column("probability", sa.Float),
        sa.Column("threshold", sa.Float, nullable=False),
    )
    table(
        "journal_batches",
        "id",
        sa.Column("chain", sa.Uuid, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("committed_at", _MOMENT, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
    )
    for name, columns in (
        ("employee_inputs", ["employee_id", "id"]),
        ("prediction_results", ["model", "id"]),
        ("prediction_results", ["caller_name", "id"]),
        ("journal_batches", ["chain", "sequence"]),
    ):
        op.create_index(f"ix_{name}{suffix}_{'_'.join(columns)}", name + suffix, columns)
