"""The served app in process, through its public door, on both databases."""

import asyncio
import base64
import gc
import json
import math
import shutil
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp

import churn
from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import (
    JOURNAL,
    api_responses,
    employee_inputs,
    features,
    prediction_results,
    requests,
)
from churn.dictionary.technova import TECHNOVA
from churn.journal.writer import Writer
from churn.model import registry
from churn.model.registry import ServedModel
from churn.model.scorecard import Scorecard
from churn.web import readiness_check
from churn.web.middleware import journalling
from churn.web.parsing import MAX_BATCH_BYTES, MAX_BYTES
from harness.identities import a_token, a_user
from harness.servers import PATIENCE, wait_until
from tests.conftest import Served, _served
from tests.support.company import EXAMPLE
from tests.support.deadlines import short_deadline

FULL: dict[str, Any] = {
    **EXAMPLE,
    "employee_id": 4711,
    "age": 41,
    "genre": "F",
    "statut_marital": "Marié(e)",
    "departement": "Consulting",
    "poste": "Tech Lead",
    "niveau_hierarchique_poste": 2,
    "nombre_experiences_precedentes": 3,
    "satisfaction_employee_nature_travail": 4,
    "satisfaction_employee_equipe": 1,
    "note_evaluation_precedente": 3,
    "note_evaluation_actuelle": 3,
    "augmentation_salaire_precedente": "11 %",
    "nb_formations_suivies": 2,
    "niveau_education": 3,
    "domaine_etude": "Infra & Cloud",
    "frequence_deplacement": "Occasionnel",
    "annees_sous_responsable_actuel": 0,
}


def rows(served: Served, table: Any) -> list[Any]:
    with served.engine.connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def everything_stored(served: Served) -> str:
    return "\n".join(str(row) for table in JOURNAL for row in rows(served, table))


class TestPredict:
    def test_the_core_fields_are_enough(self, served: Served, model: ServedModel) -> None:
        response = served.client.post("/predict", json=EXAMPLE)
        assert response.status_code == 200
        answer = response.json()
        assert answer["model"] == model.tag
        assert answer["threshold"] == model.threshold
        assert answer["prediction"] == int(answer["probability"] >= model.threshold)
        optional = [f.name for f in TECHNOVA.features if f.role == "optional"]
        assert answer["unknown"] == optional
        assert {reason["field"] for reason in answer["reasons"]} == set(EXAMPLE)
        assert uuid.UUID(answer["prediction_id"]).version == 7

    def test_the_reasons_add_up_to_the_probability_and_are_sorted(self, served: Served) -> None:
        answer = served.client.post("/predict", json=FULL).json()
        parts = [reason["contribution"] for reason in answer["reasons"]]
        logit = math.log(answer["probability"] / (1 - answer["probability"]))
        assert answer["base_value"] + sum(parts) == pytest.approx(logit, abs=1e-9)
        assert parts == sorted(parts, key=abs, reverse=True)
        assert answer["unknown"] == []

    def test_protected_fields_change_nothing_and_give_no_reason(self, served: Served) -> None:
        protected = {field.name for field in TECHNOVA.protected}
        without = {name: value for name, value in FULL.items() if name not in protected}
        given, withheld = (served.client.post("/predict", json=record).json() for record in (FULL, without))
        assert given["probability"] == withheld["probability"]
        assert not protected & {reason["field"] for reason in given["reasons"]}

    def test_aliases_and_spellings_give_the_same_answer(self, served: Served) -> None:
        record = {
            "Revenu_Mensuel": 2500, "exp_totale": 3, "ANCIENNETE": 1.0, "poste_actuel": 0,
            "satisfaction_environnement": 1, "satisfaction_equilibre": 2, "Heures_Supp": "oui",
            "pea": 0, "distance_domicile_travail": 20, "années_promo": 0,
        }  # fmt: skip
        answers = [served.client.post("/predict", json=r).json() for r in (EXAMPLE, record)]
        assert answers[0]["probability"] == answers[1]["probability"]

    def test_the_message_follows_the_prediction_and_the_language(self, served: Served) -> None:
        safe = EXAMPLE | {
            "heure_supplementaires": "Non", "revenu_mensuel": 15000, "annee_experience_totale": 20,
            "satisfaction_employee_environnement": 4, "nombre_participation_pee": 1,
            "distance_domicile_travail": 1, "satisfaction_employee_equilibre_pro_perso": 3,
        }  # fmt: skip
        said = {}
        for language in ("fr", "en", "en-US;q=0.9, fr;q=0.5", "de"):
            for record in (EXAMPLE, safe):
                answer = served.client.post(
                    "/predict", json=record, headers={"Accept-Language": language}
                ).json()
                said[language, answer["prediction"]] = answer["message"]
        assert said == {
            ("fr", 1): "Risque de départ élevé",
            ("fr", 0): "Employé stable",
            ("en", 1): "High risk of leaving",
            ("en", 0): "Stable employee",
            ("en-US;q=0.9, fr;q=0.5", 1): "High risk of leaving",
            ("en-US;q=0.9, fr;q=0.5", 0): "Stable employee",
            ("de", 1): "Risque de départ élevé",
            ("de", 0): "Employé stable",
        }

    def test_reasons_read_as_sentences_in_both_languages(self, served: Served) -> None:
        def text_of(field: str, language: str) -> str:
            answer = served.client.post(
                "/predict", json=EXAMPLE, headers={"Accept-Language": language}
            ).json()
            return str(next(r["text"] for r in answer["reasons"] if r["field"] == field))

        assert text_of("heure_supplementaires", "fr") == "Heures supplémentaires : oui, augmente le risque"
        assert text_of("heure_supplementaires", "en") == "Overtime: yes, raises the risk"
        assert text_of("annee_experience_totale", "en").startswith("Total experience: 3 years, ")

    def test_what_training_did_not_cover_is_warned_of(self, served: Served, model: ServedModel) -> None:
        low, high = (f"{bound:g}" for bound in model.seen["distance_domicile_travail"])
        far = {**EXAMPLE, "distance_domicile_travail": 100}
        assert served.client.post("/predict", json=far).json()["warnings"] == [
            f"distance_domicile_travail = 100 : hors de la plage observée ({low} – {high})"
        ]
        assert served.client.post("/predict", json=EXAMPLE).json()["warnings"] == []

    def test_what_is_implausible_together_is_warned_of(self, served: Served) -> None:
        old = {**EXAMPLE, "age": 70}
        assert (
            served.client.post("/predict", json=old).json()["warnings"][0].startswith("age = 70 : hors de la")
        )
        young = {**EXAMPLE, "age": 18, "annee_experience_totale": 5}
        assert served.client.post("/predict", json=young).json()["warnings"] == [
            "annee_experience_totale et age : peu plausibles ensemble, à vérifier"
        ]

    def test_endless_numbers_are_answered_or_refused_but_never_an_error_of_ours(self, served: Served) -> None:
        for value in (1e12, 1e13, 1e308, 10**400):
            body = json.dumps({**EXAMPLE, "revenu_mensuel": value})
            response = served.client.post(
                "/predict", content=body, headers={"Content-Type": "application/json"}
            )
            assert response.status_code == (200 if value == 1e12 else 422)


class TestBatch:
    def test_answers_come_in_order_and_equal_those_of_one(self, served: Served) -> None:
        records = [{**EXAMPLE, "distance_domicile_travail": n} for n in (29, 1, 15)]
        batch = served.client.post("/predict_batch", json=records).json()
        one_by_one = [served.client.post("/predict", json=record).json() for record in records]
        # The order in which a matrix product is summed depends on its size.
        expected = pytest.approx([a["probability"] for a in one_by_one], abs=1e-12)
        assert [a["probability"] for a in batch] == expected
        assert len({a["prediction_id"] for a in batch}) == 3

    def test_one_bad_row_refuses_all_and_is_named(self, served: Served) -> None:
        records = [EXAMPLE, {**EXAMPLE, "satisfaction_employee_environnement": 5}]
        response = served.client.post("/predict_batch", json=records)
        assert response.status_code == 422
        assert response.json()["detail"] == [
            {
                "loc": ["body", 1, "satisfaction_employee_environnement"],
                "msg": "attendu : un entier de 1 à 4",
                "type": "less_than_equal",
            }
        ]
        assert rows(served, prediction_results) == []

    def test_ten_thousand_rows_pass_and_one_more_does_not(self, served: Served) -> None:
        response = served.client.post("/predict_batch", json=[EXAMPLE] * 10_000)
        assert (response.status_code, len(response.json())) == (200, 10_000)
        refused = served.client.post("/predict_batch", json=[EXAMPLE] * 10_001)
        assert refused.status_code == 413
        assert refused.json()["detail"] == "Trop de lignes : 10 000 au plus, envoyer plusieurs lots"
        assert len(rows(served, prediction_results)) == 10_000


class TestRefusals:
    """Every refusal: the status, the one shape, a reason to act on, and no value."""

    def refused(self, served: Served, status: int, **request: Any) -> Any:
        response = served.client.post(request.pop("path", "/predict"), **request)
        assert response.status_code == status
        assert set(response.json()) == {"detail", "request_id"}
        assert response.headers["X-Request-ID"] == response.json()["request_id"]
        return response.json()["detail"]

    @pytest.mark.parametrize(
        ("changes", "loc", "msg", "kind"),
        [
            ({"age": "987654"}, "age", "attendu : un entier de 18 à 70", "number_type"),
            ({"age": 987654}, "age", "attendu : un entier de 18 à 70", "less_than_equal"),
            ({"age": 30.987654}, "age", "attendu : un entier de 18 à 70", "int_from_float"),
            ({"pee": 987654}, "pee", "ce champ est déjà donné sous un autre nom", "duplicate_field"),
            ({"revenu_mensuel": -987654}, "revenu_mensuel", "attendu : un nombre ≥ 0", "greater_than_equal"),
            ({"genre": "987654"}, "genre", "attendu : F, M", "literal_error"),
            ({"couleur": "987654"}, "couleur", "champ inconnu", "unknown_field"),
            ({"a_quitte_l_entreprise": "Oui"}, "a_quitte_l_entreprise",
             "c'est ce que le modèle prédit : à retirer de la demande", "target"),
            ({"augmentation_salaire_precedente": "987654 francs"}, "augmentation_salaire_precedente",
             'attendu : un pourcentage ≥ 0, comme 11 ou "11 %"', "percent"),
            ({"employee_id": -987654}, "employee_id",
             "attendu : un entier ≥ 0 ou un texte de 1 à 64 caractères", "identifier"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )  # fmt: skip
    def test_a_bad_field(
        self, served: Served, changes: dict[str, Any], loc: str, msg: str, kind: str
    ) -> None:
        detail = self.refused(served, 422, json={**EXAMPLE, **changes})
        assert {"loc": ["body", loc], "msg": msg, "type": kind} in detail
        assert "987654" not in json.dumps(detail) + everything_stored(served)

    def test_every_missing_core_field_is_named(self, served: Served) -> None:
        detail = self.refused(served, 422, json={})
        assert [entry["loc"][1] for entry in detail] == [field.name for field in TECHNOVA.core]
        assert {entry["type"] for entry in detail} == {"missing"}
        assert detail[0]["msg"] == "champ obligatoire; attendu : un nombre ≥ 0"

    def test_in_english_on_demand(self, served: Served) -> None:
        detail = self.refused(served, 422, json={**EXAMPLE, "age": 17}, headers={"Accept-Language": "en"})
        assert detail[0]["msg"] == "expected an integer from 18 to 70"

    @pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/what_if"])
    def test_an_empty_body(self, served: Served, path: str) -> None:
        [entry] = self.refused(served, 422, path=path, content=b"")
        assert entry["type"] == "empty_body"

    @pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/what_if"])
    def test_broken_json(self, served: Served, path: str) -> None:
        content = b'{"revenu_mensuel": 987654,'
        [entry] = self.refused(
            served, 422, path=path, content=content, headers={"Content-Type": "application/json"}
        )
        assert entry == {"loc": ["body"], "msg": "le corps n'est pas du JSON valide", "type": "json_invalid"}
        assert "987654" not in everything_stored(served)

    @pytest.mark.parametrize(
        "media",
        [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/vnd.bentoml+pickle",
        ],
    )
    def test_a_body_that_is_not_declared_as_json(self, served: Served, media: str) -> None:
        for path in ("/predict", "/what_if"):
            detail = self.refused(
                served, 415, path=path, content=json.dumps(EXAMPLE), headers={"Content-Type": media}
            )
            assert detail.endswith("Content-Type: application/json")

    def test_a_compressed_body(self, served: Served) -> None:
        self.refused(served, 415, content=b"x", headers={"Content-Encoding": "gzip"})

    @pytest.mark.parametrize(
        ("path", "limit"),
        [("/predict", MAX_BYTES), ("/what_if", MAX_BYTES), ("/predict_batch", MAX_BATCH_BYTES)],
    )
    def test_a_body_over_the_limit_declared_or_not(self, served: Served, path: str, limit: int) -> None:
        headers = {"Content-Type": "application/json"}
        body = b'"' + b"x" * limit + b'"'
        declared = self.refused(served, 413, path=path, content=body, headers=headers)
        chunks = (body[i : i + 65536] for i in range(0, len(body), 65536))
        streamed = self.refused(served, 413, path=path, content=chunks, headers=headers)
        assert declared == streamed == f"Corps trop grand : {limit:,} octets au plus".replace(",", " ")

    def test_a_body_just_under_the_limit_is_read(self, served: Served) -> None:
        body = json.dumps({**EXAMPLE, "x": ""})
        body = body.replace('""', '"' + "y" * (MAX_BYTES - len(body)) + '"')
        assert len(body) == MAX_BYTES
        [entry] = self.refused(served, 422, content=body, headers={"Content-Type": "application/json"})
        assert entry["type"] == "unknown_field"

    def test_another_method(self, served: Served) -> None:
        response = served.client.get("/predict")
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert response.json()["detail"] == "Méthode non autorisée à cette adresse"

    def test_an_unknown_path(self, served: Served) -> None:
        self.refused(served, 404, path="/nothing")

    @pytest.mark.parametrize("name", ["Zoé\u0000", "\ud800", "a\tb", " " * 80])
    def test_an_identifier_that_no_database_stores(self, served: Served, name: str) -> None:
        body = json.dumps({**EXAMPLE, "employee_id": name})
        [entry] = self.refused(served, 422, content=body, headers={"Content-Type": "application/json"})
        assert (entry["loc"], entry["type"]) == (["body", "employee_id"], "identifier")

    def test_an_identifier_is_stored_without_its_padding(self, served: Served) -> None:
        padded = {**EXAMPLE, "employee_id": " " * 100 + "E_12"}
        assert served.client.post("/predict", json=padded).status_code == 200
        assert rows(served, employee_inputs)[0].employee_id == "E_12"

    def test_an_unknown_name_that_no_database_stores(self, served: Served) -> None:
        [entry] = self.refused(served, 422, json={**EXAMPLE, "x\u0000y" + "z" * 100: 1})
        assert entry["loc"] == ["body", "xy" + "z" * 62]
        assert rows(served, api_responses)[0].body["detail"] == [entry]

    def test_a_field_that_is_given_twice(self, served: Served) -> None:
        body = json.dumps(EXAMPLE)[:-1] + ', "age": 30, "age": 31}'
        for path, content in (("/predict", body), ("/predict_batch", f"[{body}]")):
            [entry] = self.refused(
                served, 422, path=path, content=content, headers={"Content-Type": "application/json"}
            )
            assert (entry["loc"], entry["type"]) == (["body", "age"], "repeated_field")

    def test_what_is_listed_has_an_end(self, served: Served) -> None:
        detail = self.refused(served, 422, path="/predict_batch", json=[{}] * 10_000)
        assert len(detail) == 51
        assert detail[-1] == {
            "loc": ["body"],
            "msg": "d'autres erreurs suivent : corriger celles-ci d'abord",
            "type": "more_errors",
        }
        [entry] = self.refused(served, 422, json={f"field{n}": n for n in range(20_000)})
        assert entry["type"] == "too_many_fields"

    def test_a_path_with_a_control_character(self, served: Served) -> None:
        self.refused(served, 404, path="/predict%0A", json=EXAMPLE)
        assert [row.route for row in rows(served, requests)] == ["(elsewhere)"]


# The whole list: a route that is not here must ask for credentials.
OPEN = {"/", "/docs", "/redoc", "/health", "/healthz", "/livez", "/readyz", "/openapi.json"}
OPEN |= {"/sign-in", "/sign-out"}


def paths(app: Any) -> set[str]:
    """Return the paths of every route, those of mounted apps included."""
    found = set()
    for route in app.routes:
        inner = getattr(route, "app", None)
        if isinstance(inner, Starlette):
            found |= {route.path + path for path in paths(inner)}
        else:
            found.add(route.path)
    return found


class TestIdentity:
    def test_every_route_is_closed_unless_listed(self, served: Served, app: ASGIApp) -> None:
        every = paths(app)
        assert {"/predict", "/predict_batch", "/what_if", "/metrics", "/schema.json", *OPEN} <= every
        for path in sorted(every):
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
                response = served.client.request(
                    method, path, headers={"Authorization": ""}, follow_redirects=False
                )
                # Pages lead to where to sign in, and back.
                is_closed = response.status_code == 401 or "?next=" in response.headers.get("Location", "")
                assert is_closed is not (path in OPEN), f"{method} {path}: {response.status_code}"

    def test_a_refusal_asks_for_basic_or_bearer_and_tells_nothing(self, served: Served) -> None:
        unknown = {"Authorization": "Basic " + base64.b64encode(b"nobody:nothing").decode()}
        answers = [
            served.client.post("/predict", json=EXAMPLE, headers=headers)
            for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}, unknown)
        ]
        for response in answers:
            assert response.status_code == 401
            assert response.json()["detail"] == "Identifiant ou mot de passe incorrect"
            challenges = response.headers.get_list("WWW-Authenticate")
            assert [challenge.split()[0] for challenge in challenges] == ["Basic", "Bearer"]
        english = served.client.get("/schema.json", headers={"Authorization": "", "Accept-Language": "en"})
        assert english.json()["detail"] == "Incorrect username or password"

    def test_a_user_signs_in_with_name_and_password(self, served: Served) -> None:
        a_user(served.engine, "marie", "correct horse")
        response = served.client.post("/predict", json=EXAMPLE, auth=("marie", "correct horse"))
        assert response.status_code == 200
        found = {(row.route, row.caller_name) for row in rows(served, requests)}
        assert found == {("sign in", "marie"), ("/predict", "marie")}

    def test_a_refused_body_is_not_even_read(self, served: Served) -> None:
        response = served.client.post("/predict", content=b"{", headers={"Authorization": ""})
        assert response.status_code == 401


class TestJournal:
    def test_a_prediction_is_five_rows_with_what_was_said(self, served: Served, model: ServedModel) -> None:
        response = served.client.post("/predict", json=FULL)
        answer = response.json()
        [request], [sent_in], [seen] = (
            rows(served, table) for table in (requests, employee_inputs, features)
        )
        [result], [reply] = rows(served, prediction_results), rows(served, api_responses)
        assert str(request.id) == response.headers["X-Request-ID"]
        assert (request.method, request.route, request.caller_kind) == ("POST", "/predict", "token")
        assert request.caller_name == "tests"
        assert sent_in.employee_id == "4711"
        assert sent_in.record["augmentation_salaire_precedente"] == 11
        assert sent_in.record["age"] == 41
        assert set(seen._mapping["values"]) == {field.name for field in model.fields}
        assert seen.base_value + sum(seen.contributions.values()) == pytest.approx(
            math.log(answer["probability"] / (1 - answer["probability"])), abs=1e-9
        )
        assert (str(result.id), result.model) == (answer["prediction_id"], model.tag)
        assert (result.prediction, result.probability) == (answer["prediction"], answer["probability"])
        assert (reply.status, reply.body) == (200, answer)
        assert reply.duration_ms > 0

    def test_refusals_are_a_request_and_a_response_without_values(self, served: Served) -> None:
        calls = [
            ({"headers": {"Authorization": ""}, "json": EXAMPLE}, 401, "anonymous"),
            ({"json": {**EXAMPLE, "revenu_mensuel": "secret-987654"}}, 422, "token"),
            ({"content": b"secret-987654", "headers": {"Content-Type": "text/plain"}}, 415, "token"),
            (
                {"content": b"9" * (MAX_BYTES + 1), "headers": {"Content-Type": "application/json"}},
                413,
                "token",
            ),
        ]
        for arguments, status, _ in calls:
            assert served.client.post("/predict", **arguments).status_code == status  # type: ignore[arg-type]
        assert [row.status for row in rows(served, api_responses)] == [status for _, status, _ in calls]
        assert [row.caller_kind for row in rows(served, requests)] == [kind for *_, kind in calls]
        assert not any(rows(served, table) for table in (employee_inputs, features, prediction_results))
        assert rows(served, api_responses)[1].body["detail"][0]["loc"] == ["body", "revenu_mensuel"]
        assert "987654" not in everything_stored(served)

    def test_calls_to_other_routes_are_not_journalled(self, served: Served) -> None:
        for path in ("/health", "/readyz", "/schema.json", "/metrics"):
            served.client.get(path)
        assert rows(served, requests) == []

    def test_what_is_refused_elsewhere_is_journalled_without_its_address(self, served: Served) -> None:
        for path, headers in (("/nothing-47114711", {}), ("/metrics?x=47114711", {"Authorization": ""})):
            served.client.get(path, headers=headers)
        assert [(row.method, row.route, row.caller_kind) for row in rows(served, requests)] == [
            ("GET", "(elsewhere)", "token"),
            ("GET", "(elsewhere)", "anonymous"),
        ]
        assert [row.status for row in rows(served, api_responses)] == [404, 401]
        assert "47114711" not in everything_stored(served)

    def test_who_asked_for_the_model_is_journalled_but_not_what_was_told(
        self, served: Served, model: ServedModel
    ) -> None:
        assert served.client.get("/model").status_code == 200
        [request], [reply] = rows(served, requests), rows(served, api_responses)
        assert (request.route, request.caller_name, request.model) == ("/model", "tests", model.tag)
        assert (reply.status, reply.body) == (200, None)

    def test_a_token_whose_scopes_do_not_reach_so_far(self, served: Served) -> None:
        token = a_token(served.engine, "reader", scopes=["history"])
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        response = served.client.post("/predict", json=EXAMPLE, headers=headers)
        assert response.status_code == 403
        assert response.json()["detail"] == "These credentials do not reach so far"
        [request], [reply] = rows(served, requests), rows(served, api_responses)
        assert (request.caller_name, reply.status) == ("reader", 403)
        assert not rows(served, prediction_results)

    def test_an_answer_that_cannot_be_journalled_does_not_leave(self, served_strictly: Served) -> None:
        served = served_strictly
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE api_responses RENAME TO gone")
        for path, body in (
            ("/predict", EXAMPLE),
            ("/predict_batch", [EXAMPLE]),
            ("/what_if", {"employee": EXAMPLE}),
        ):
            response = served.client.post(path, json=body)
            assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
            assert response.headers["X-Request-ID"] == response.json()["request_id"]
            assert set(response.json()) == {"detail", "request_id"}
            assert "probability" not in response.text
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO api_responses")
        assert not any(rows(served, table) for table in JOURNAL)

    def test_an_answer_that_comes_too_late_is_journalled_as_such(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        short_deadline(monkeypatch, "/predict", 0)
        response = served.client.post("/predict", json=EXAMPLE)
        assert response.status_code == 504
        assert set(response.json()) == {"detail", "request_id"}
        assert [row.status for row in rows(served, api_responses)] == [504]
        assert rows(served, prediction_results) == []

    def test_a_journal_that_hangs_holds_no_caller_and_lets_no_answer_out(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        goes_on, write = threading.Event(), Writer.write

        def hangs(self: Writer, *given: Any) -> Any:
            assert goes_on.wait(PATIENCE)
            return write(self, *given)

        with monkeypatch.context() as patched:
            patched.setattr(Writer, "write", hangs)
            patched.setattr(journalling, "MAX_SECONDS", 0.05)
            response = served.client.post("/predict", json=EXAMPLE)
            goes_on.set()
        assert response.status_code == 504
        assert set(response.json()) == {"detail", "request_id"}
        assert served.client.post("/predict", json=EXAMPLE).status_code == 200

    def test_a_call_that_is_answered_leaves_nothing_that_waits(self, served: Served) -> None:
        def timers() -> int:
            found = [one for one in gc.get_objects() if isinstance(one, asyncio.TimerHandle)]
            return sum(not one.cancelled() for one in found)

        served.client.post("/predict", json=EXAMPLE)
        before = timers()
        for _ in range(5):
            served.client.post("/predict", json=EXAMPLE)
        assert timers() == before

    def test_a_failure_in_scoring_is_500_and_its_text_stays_out_of_the_log(
        self, served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fails(_: object, record: Any) -> Any:
            raise ValueError(f"cannot digest {record['revenu_mensuel']}")

        monkeypatch.setattr(Scorecard, "contributions", fails)
        record = {**EXAMPLE, "revenu_mensuel": 987654}
        for path, body in (("/predict", record), ("/what_if", {"employee": record})):
            caplog.clear()
            response = served.client.post(path, json=body)
            assert response.status_code == 500
            assert "in fails" in caplog.text
            assert "987654" not in caplog.text + response.text + everything_stored(served)

    def test_two_spellings_of_a_request_are_one_way_of_logging(self, served: Served) -> None:
        served.client.post("/predict", json={**EXAMPLE, "genre": "f"})
        assert rows(served, employee_inputs)[0].record["genre"] == "F"


def await_status(served: Served, status: int) -> None:
    """Wait until `/readyz` answers with a status: what was found is told for a second."""
    wait_until(lambda: served.client.get("/readyz").status_code == status)


def metrics(served: Served) -> dict[str, float]:
    """Return the figures at `/metrics`, by name and labels."""
    lines = served.client.get("/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"
    }


class TestState:
    def test_health_is_what_the_design_says_and_the_version(self, served: Served) -> None:
        response = served.client.get("/health", headers={"Authorization": ""})
        assert response.json() == {
            "status": "OK", "message": "API opérationnelle", "version": churn.__version__
        }  # fmt: skip

    def test_ready_says_how_the_journal_is(self, served: Served) -> None:
        found = served.client.get("/readyz", headers={"Authorization": ""}).json()
        assert (found["status"], found["database"], found["waiting"]) == ("ready", "ready", 0)
        assert found["spool"] == {
            "records": 0, "bytes": 0, "max_bytes": 1024**3, "set_aside": 0, "oldest_seconds": 0
        }  # fmt: skip

    def test_not_ready_where_a_call_has_waited_in_the_spool_for_too_long(
        self,
        app: ASGIApp,
        model: ServedModel,
        sqlite_at_head: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        an_hour_ago = time.time_ns() - 3600 * 10**9
        blocked = registry.home() / "spool" / f"{an_hour_ago:020d}.spool"  # a folder, and so never replayed
        blocked.mkdir(parents=True)
        with opened(f"sqlite:///{shutil.copy(sqlite_at_head, tmp_path)}") as engine:
            with _served(app, model, engine, monkeypatch) as served:
                assert 3600 <= served.client.get("/readyz").json()["spool"]["oldest_seconds"] < 4000
                found = served.client.get("/metrics").text
                assert "churn_spool_oldest_seconds 36" in found
            monkeypatch.setenv("CHURN_SPOOL_HOURS", "0.5")
            with _served(app, model, engine, monkeypatch, name="again") as served:
                assert served.client.get("/readyz").status_code == 503
        blocked.rmdir()

    def test_metrics_say_how_the_journal_is(self, served: Served) -> None:
        served.client.post("/predict", json=EXAMPLE)
        assert {name: value for name, value in metrics(served).items() if "{" not in name} == {
            "churn_database_up": 1,
            "churn_journal_waiting": 0,
            "churn_spool_records": 0,
            "churn_spool_bytes": 0,
            "churn_spool_max_bytes": 1024**3,
            "churn_spool_set_aside": 0,
            "churn_spool_oldest_seconds": 0,
        }

    def test_metrics_count_calls_by_route_and_status(self, served: Served) -> None:
        before = metrics(served)
        served.client.post("/predict", json=EXAMPLE)
        served.client.post("/predict", json={})
        after = metrics(served)

        def more(name: str) -> float:
            return after[name] - before.get(name, 0)

        assert more('churn_requests_total{route="/predict",status="200"}') == 1
        assert more('churn_requests_total{route="/predict",status="422"}') == 1
        assert more('churn_request_seconds_count{route="/predict"}') == 2
        assert 0 < more('churn_request_seconds_sum{route="/predict"}') < 60
        assert more('churn_request_seconds_bucket{le="+Inf",route="/predict"}') == 2

    def test_metrics_have_no_series_for_what_people_make_up(self, served: Served) -> None:
        series = 'churn_requests_total{route="(elsewhere)",status="404"}'
        before = metrics(served).get(series, 0)
        for number in range(5):
            served.client.get(f"/made-up-{number}-4711")
        after = metrics(served)
        assert after[series] - before == 5
        assert not [name for name in after if "4711" in name]

    def test_ready_only_while_the_journal_can_write(self, served_strictly: Served) -> None:
        served = served_strictly
        assert served.client.get("/readyz").status_code == 200
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE requests RENAME TO gone")
        await_status(served, 503)
        with served.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO requests")
        await_status(served, 200)
        assert rows(served, requests) == []
        schema.downgrade(served.engine)
        await_status(served, 503)
        response = served.client.get("/readyz")
        assert set(response.json()) == {"detail", "request_id"}

    def test_strangers_who_ask_often_have_the_database_asked_seldom(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readiness_check, "LIFETIME", 3600.0)
        checks: list[Engine] = []
        check = schema.check

        def checked(engine: Engine) -> str:
            checks.append(engine)
            return check(engine)

        monkeypatch.setattr(schema, "check", checked)
        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(served.client.get, "/readyz") for _ in range(40)]
            assert {one.result().status_code for one in asking} == {200}
        assert len(checks) == 1
        monkeypatch.setattr(readiness_check, "LIFETIME", 0.0)
        assert served.client.get("/readyz").status_code == 200
        assert len(checks) == 2

    def test_a_start_does_not_tell_what_an_earlier_one_found(
        self, app: ASGIApp, served: Served, damaged: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readiness_check, "LIFETIME", 3600.0)
        assert served.client.get("/readyz").status_code == 200
        served.client.__exit__()
        monkeypatch.setenv("CHURN_MODEL", damaged)
        with TestClient(app) as client:
            assert client.get("/readyz").status_code == 503

    def test_every_answer_has_its_own_request_id(self, served: Served) -> None:
        ids = {
            served.client.get(path).headers["X-Request-ID"]
            for path in ("/health", "/livez", "/nothing", "/predict")
        }
        assert len(ids) == 4
