"""Predictions of the served app, and changes of their rows in the journal."""

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
    """Call every prediction route, and return the ids of the predictions, the oldest first."""
    batch = [{**FULL, "employee_id": f"É-{n}", "distance_domicile_travail": n / 3} for n in range(4)]
    question = {"employee": FULL, "changes": {"heure_supplementaires": "Non"}}
    single = served.client.post("/predict", json=FULL).json()
    many = served.client.post("/predict_batch", json=batch).json()
    what_if = served.client.post("/what_if", json=question).json()
    answers = [single, *many, what_if["before"], what_if["after"]]
    return [uuid.UUID(answer["prediction_id"]) for answer in answers]


def key(engine: Engine, prediction: uuid.UUID) -> str:
    """Return an id in the form that the database compares."""
    return prediction.hex if engine.dialect.name == "sqlite" else str(prediction)


def sql(engine: Engine, statement: str, prediction: uuid.UUID, **values: object) -> None:
    """Change the row of one prediction behind churn's back."""
    with engine.begin() as connection:
        assert (
            connection.execute(
                text(f"{statement} WHERE id = :id"), {"id": key(engine, prediction), **values}
            ).rowcount
            == 1
        )


def rewrite(engine: Engine, table: str, column: str, prediction: uuid.UUID, **changes: object) -> None:
    """Change fields of a document of one prediction."""
    with engine.begin() as connection:
        query = f'SELECT CAST("{column}" AS TEXT) FROM {table} WHERE id = :id'
        document = connection.execute(text(query), {"id": key(engine, prediction)}).scalar_one()
    put(engine, table, column, prediction, orjson.dumps({**orjson.loads(document), **changes}).decode())


def put(engine: Engine, table: str, column: str, prediction: uuid.UUID, document: str) -> None:
    """Replace a document of one prediction by a text."""
    kind = "TEXT" if engine.dialect.name == "sqlite" else "json"
    sql(engine, f'UPDATE {table} SET "{column}" = CAST(:document AS {kind})', prediction, document=document)


def erase(engine: Engine, prediction: uuid.UUID) -> None:
    """Remove the personal data of one prediction."""
    sql(engine, "UPDATE employee_inputs SET employee_id = NULL, record = NULL, salt = NULL", prediction)
    sql(engine, 'UPDATE features SET "values" = NULL, contributions = NULL', prediction)
    sql(engine, "UPDATE prediction_results SET prediction = NULL, probability = NULL", prediction)


def run(command: click.Command, *arguments: object) -> Result:
    """Run a command."""
    return CliRunner().invoke(command, list(map(str, arguments)))
