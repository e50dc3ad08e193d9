"""How revision 0002 carries the journal's rows over to its tables, and back.

Statements read tables whose names end in `{source}`; `{range}` limits them to some requests, and `{json}`
is a cast where the database has two kinds of JSON. What was erased, and cannot be NULL in the old tables,
is -1 or JSON's null there.
"""

import uuid
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

Statements = Mapping[str, str]

FORWARD: Statements = {
    "requests (id, received_at, method, route, caller_kind, caller_id, caller_name, model)": """
        SELECT q.id, q.received_at, q.method, q.route, q.caller_kind, q.caller_id, q.caller_name,
               (SELECT min(r.model) FROM prediction_results{source} r WHERE r.request_id = q.id)
        FROM requests{source} q WHERE q.id {range}""",
    "employee_inputs (id, request_id, position, employee_id, record)": """
        SELECT coalesce(r.id, i.id), i.request_id, i.position, i.employee_id,
               nullif(i.record, 'null'){json}
        FROM employee_inputs{source} i LEFT JOIN prediction_results{source} r ON r.input_id = i.id
        WHERE i.request_id {range}""",
    'features (id, base_value, "values", contributions)': """
        SELECT coalesce(r.id, i.id), f.base_value,
               nullif(f."values", 'null'){json}, nullif(f.contributions, 'null'){json}
        FROM employee_inputs{source} i JOIN features{source} f ON f.input_id = i.id
        LEFT JOIN prediction_results{source} r ON r.input_id = i.id
        WHERE i.request_id {range}""",
    "prediction_results (id, request_id, caller_name, model, prediction, probability, threshold)": """
        SELECT r.id, r.request_id, q.caller_name, r.model, nullif(r.prediction, -1),
               nullif(r.probability, -1), r.threshold
        FROM requests{source} q JOIN prediction_results{source} r ON r.request_id = q.id
        WHERE q.id {range}""",
    "api_responses (request_id, answered_at, status, duration_ms, body)": """
        SELECT a.request_id, a.answered_at, a.status, a.duration_ms, nullif(a.body, 'null'){json}
        FROM api_responses{source} a WHERE a.request_id {range}""",
}

BACK: Statements = {
    "requests (id, received_at, method, route, caller_kind, caller_id, caller_name)": """
        SELECT id, received_at, method, route, caller_kind, caller_id, caller_name
        FROM requests{source} WHERE id {range}""",
    "employee_inputs (id, request_id, position, employee_id, record)": """
        SELECT id, request_id, position, employee_id, coalesce(record, 'null'){json}
        FROM employee_inputs{source} WHERE id {range}""",
    'features (id, input_id, base_value, "values", contributions)': """
        SELECT id, id, base_value, coalesce("values", 'null'){json}, coalesce(contributions, 'null'){json}
        FROM features{source} WHERE id {range}""",
    "prediction_results (id, request_id, input_id, model, prediction, probability, threshold)": """
        SELECT id, request_id, id, model, coalesce(prediction, -1), coalesce(probability, -1), threshold
        FROM prediction_results{source} WHERE id {range}""",
    "api_responses (id, request_id, answered_at, status, duration_ms, body)": """
        SELECT request_id, request_id, answered_at, status, duration_ms, coalesce(body, 'null'){json}
        FROM api_responses{source} WHERE request_id {range}""",
}

# The last that the service of before writes of a call is its response.
TRIGGER = """
CREATE TRIGGER carry_0002 AFTER INSERT ON api_responses FOR EACH ROW EXECUTE FUNCTION carry_0002()
"""

# With the rights of who migrates: the service's role need have none on the new tables yet. `EXECUTE` plans
# by the keys at hand: a plan for any keys would read whole tables for one call.
_FUNCTIONS = """
CREATE FUNCTION carry_0002(first uuid, last uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
  {statements}
END
$body$;
CREATE FUNCTION carry_0002() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
  PERFORM carry_0002(NEW.request_id, NEW.request_id);
  RETURN NULL;
END
$body$
"""

_GRANTS = """
SELECT format('GRANT %s ON %s TO %s', privilege_type, CAST(:target AS regclass),
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
FROM pg_class, aclexplode(relacl) WHERE oid = CAST(:source AS regclass) AND grantee <> relowner
"""


def render(
    statements: Statements,
    *,
    source: str = "",
    target: str = "",
    keys: str = "IS NOT NULL",
    is_postgresql: bool = True,
) -> Iterator[str]:
    """Yield the statements' SQL; `keys` limits the requests, by default to all of them."""
    kind = ("::json" if statements is FORWARD else "::jsonb") if is_postgresql else ""
    for into, select in statements.items():
        table, columns = into.split(" ", 1)
        rows = select.format(source=source, range=keys, json=kind)
        yield f"INSERT INTO {table}{target} {columns} {rows}"


def install(connection: Connection, target: str) -> None:
    """Make the functions that carry some requests forward; carrying one twice changes nothing."""
    statements = [
        f"EXECUTE $sql${statement} ON CONFLICT DO NOTHING$sql$ USING first, last;"
        for statement in render(FORWARD, target=target, keys="BETWEEN $1 AND $2")
    ]
    connection.exec_driver_sql(_FUNCTIONS.format(statements="\n  ".join(statements)))
    connection.exec_driver_sql("CREATE TABLE progress_0002 (carried uuid NOT NULL)")
    connection.execute(sa.insert(_PROGRESS), {"carried": uuid.UUID(int=0)})


def uninstall(connection: Connection) -> None:
    """Take away what `install` made; the trigger went with its table."""
    connection.exec_driver_sql("DROP FUNCTION carry_0002(), carry_0002(uuid, uuid)")
    connection.exec_driver_sql("DROP TABLE progress_0002")


def carry_chunk(connection: Connection, size: int) -> bool:
    """Carry the next requests forward, and return whether there were any.

    What is carried again after an interruption is there already.
    """
    after = sa.select(_PROGRESS.c.carried).scalar_subquery()
    ids = sa.select(_REQUESTS.c.id).where(_REQUESTS.c.id > after).order_by(_REQUESTS.c.id).limit(size)
    keys = connection.execute(ids).scalars().all()
    if keys:
        connection.execute(sa.select(sa.func.carry_0002(keys[0], keys[-1])))
        connection.execute(sa.update(_PROGRESS), {"carried": keys[-1]})
    return bool(keys)


def copy_grants(connection: Connection, source: str, target: str) -> None:
    """Let every role do with a table what it may with another."""
    for grant in connection.execute(sa.text(_GRANTS), {"source": source, "target": target}).scalars().all():
        connection.exec_driver_sql(grant)


_PROGRESS = sa.table("progress_0002", sa.column("carried", sa.Uuid))
_REQUESTS = sa.table("requests", sa.column("id", sa.Uuid))
