"""Predictions that the served app has made, and the journal behind it for tests that change it."""

import uuid
from typing import Any

import click
import orjson
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from tests.conftest import Served
from tests.support.company import EXAMPLE

FULL: dict[str, Any] = {
    **EXAMPLE,
    "employee_id": 4711,
    "age": 41,
    "genre": "F",
    "poste": "Tech Lead",
    "augmentation_salaire_precedente": "11,5 %",
    "domaine_etude": "Infra & Cloud",
    "revenu_mensuel": 3217.55,
}


def predict(served: Served) -> list[uuid.UUID]:
    """Ask each way that the API predicts, and return the ids of the predictions, the oldest first."""
    batch = [{**FULL, "employee_id": f"É-{n}", "distance_domicile_travail": n / 3} for n in range(4)]
    question = {"employee": FULL, "changes": {"heure_supplementaires": "Non"}}
    one = served.client.post("/predict", json=FULL).json()
    many = served.client.post("/predict_batch", json=batch).json()
    two = served.client.post("/what_if", json=question).json()
    answers = [one, *many, two["before"], two["after"]]
    return [uuid.UUID(answer["prediction_id"]) for answer in answers]


def key(engine: Engine, one: uuid.UUID) -> str:
    """Return a key as the database compares it."""
    return one.hex if engine.dialect.name == "sqlite" else str(one)


def sql(engine: Engine, statement: str, one: uuid.UUID, **values: object) -> None:
    """Change the row of one prediction, behind churn's back."""
    with engine.begin() as connection:
        assert (
            connection.execute(
                text(f"{statement} WHERE id = :one"), {"one": key(engine, one), **values}
            ).rowcount
            == 1
        )


def rewrite(engine: Engine, table: str, column: str, one: uuid.UUID, **changes: object) -> None:
    """Change fields of a document of one prediction."""
    with engine.begin() as connection:
        query = f'SELECT CAST("{column}" AS TEXT) FROM {table} WHERE id = :one'
        found = connection.execute(text(query), {"one": key(engine, one)}).scalar_one()
    put(engine, table, column, one, orjson.dumps({**orjson.loads(found), **changes}).decode())


def put(engine: Engine, table: str, column: str, one: uuid.UUID, document: str) -> None:
    """Put a document's text in the place of that of one prediction."""
    kind = "TEXT" if engine.dialect.name == "sqlite" else "json"
    sql(engine, f'UPDATE {table} SET "{column}" = CAST(:document AS {kind})', one, document=document)


def erase(engine: Engine, one: uuid.UUID) -> None:
    """Take away what is personal in one prediction."""
    sql(engine, "UPDATE employee_inputs SET employee_id = NULL, record = NULL, salt = NULL", one)
    sql(engine, 'UPDATE features SET "values" = NULL, contributions = NULL', one)
    sql(engine, "UPDATE prediction_results SET prediction = NULL, probability = NULL", one)


def run(command: click.Command, *arguments: object) -> Result:
    """Run a command."""
    return CliRunner().invoke(command, list(map(str, arguments)))
