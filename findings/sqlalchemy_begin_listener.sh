#!/usr/bin/env bash
# SQLAlchemy 2.1.9 (PyPI), event.listen(engine, "begin", …), with the sqlite3 of the standard library.
#
# Guess before running: a listener to `begin` is called once a transaction, so a statement inside costs what it did.
# Seen: every statement of that engine makes 15 more calls (57 -> 72), and on an engine made from it with
# execution_options() 27 more (62 -> 89), nearly half as much again. Once anything about connections is listened to, each
# statement walks through the listeners of every such event, all of them empty; through those of both engines.
# What it means: what is to happen once a transaction belongs into the driver's own connection class where
# statements are many and short. In a service with one commit a call, five statements, this was 6 % of its instructions (counted by callgrind).
#
# Exit 0 while this is so, 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sqlalchemy==2.1.9
"$folder/venv/bin/python" - <<'PY'
import sys

from sqlalchemy import create_engine, event


def calls_a_statement(*, listening: bool, derived: bool) -> int:
    engine = create_engine("sqlite://")
    if listening:
        event.listen(engine, "begin", lambda connection: None)
    if derived:
        engine = engine.execution_options(marked=True)
    calls = 0

    def count(frame: object, kind: str, argument: object) -> None:
        nonlocal calls
        calls += kind in ("call", "c_call")

    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1").close()
        sys.setprofile(count)
        for _ in range(100):
            connection.exec_driver_sql("SELECT 1").close()
        sys.setprofile(None)
    return round(calls / 100)


plain, heard = (calls_a_statement(listening=one, derived=False) for one in (False, True))
derived, derived_heard = (calls_a_statement(listening=one, derived=True) for one in (False, True))
print(f"calls a statement, without and with a listener to begin: {plain}, {heard}; derived engine: {derived}, {derived_heard}")
raise SystemExit(0 if heard - plain >= 10 and derived_heard - derived >= 20 else 1)
PY
