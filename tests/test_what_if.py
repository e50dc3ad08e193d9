"""What would change a risk: against brute force, and through the service's public door."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from churn.core.language import Language
from churn.database.tables import JOURNAL
from churn.dictionary.technova import TECHNOVA
from churn.model.registry import ServedModel
from churn.model.scorecard import Curve, Scorecard, Table
from churn.model.scoring import Scorer
from churn.model.what_if import compare, suggest
from churn.schemas.responses import WhatIfAnswer
from tests.conftest import Served
from tests.support.company import EXAMPLE, MODELS
from tests.support.employees import CHANGES, RECORDS
from tests.support.plans import PASSED
from tests.test_service import FULL, rows

THRESHOLDS = st.floats(0.01, 0.9)

# Flagged, but less overtime would do; and flagged, but several single steps would do.
OVERWORKED: dict[str, Any] = {
    **EXAMPLE,
    "satisfaction_employee_environnement": 4,
    "nombre_participation_pee": 1,
    "distance_domicile_travail": 2,
    "revenu_mensuel": 4000,
}
UNDECIDED: dict[str, Any] = {
    **OVERWORKED,
    "heure_supplementaires": "Non",
    "distance_domicile_travail": 6,
    "annees_depuis_la_derniere_promotion": 4,
    "annees_dans_l_entreprise": 3,
    "frequence_deplacement": "Occasionnel",
    "augmentation_salaire_precedente": 11,
    "nb_formations_suivies": 0,
}


def ask(
    model: ServedModel, record: dict[str, Any], changes: dict[str, Any], language: Language = "fr"
) -> WhatIfAnswer:
    employee = MODELS.employee.model_validate(record)
    changed = employee.model_copy(update=MODELS.changes.model_validate(changes).given())
    scorer = Scorer(model)
    before, after = scorer.score([employee, changed])
    return compare(scorer, before, after, language)


def by_brute_force(model: ServedModel, record: dict[str, Any], name: str) -> Any:
    """Return the first value of a field, among all that the lever allows, that is scored below."""
    lever, old = TECHNOVA.levers[name], record.get(name)
    if old is None:
        return None
    allowed: list[Any]
    if lever.order:
        allowed = list(lever.order[lever.order.index(old) + 1 :])
    elif lever.reset is not None:
        allowed = [lever.reset] * (model.seen[name][0] <= lever.reset < old)
    else:
        low, high = model.seen[name]
        walked = (round(old + n * lever.step, 9) for n in range(1, 1000))
        allowed = [value for value in walked if low <= value <= min(high, old * lever.factor)]
    for value in allowed:
        [scored] = Scorer(model).score([MODELS.employee.model_validate({**record, name: value})])
        if not scored.prediction:
            return value
    return None


class TestDifference:
    @given(record=RECORDS, changes=CHANGES)
    def test_it_adds_up_to_the_difference_of_the_logits(
        self, model: ServedModel, record: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        answer = ask(model, record, changes)
        before, after = (math.log(p / (1 - p)) for p in (answer.before.probability, answer.after.probability))
        difference = answer.difference
        assert sum(field.change for field in difference.fields) == pytest.approx(after - before, abs=1e-9)
        assert difference.log_odds == pytest.approx(after - before, abs=1e-9)
        assert difference.probability == answer.after.probability - answer.before.probability

    @given(record=RECORDS, changes=CHANGES)
    def test_it_names_what_changed_and_nothing_else_the_largest_first(
        self, model: ServedModel, record: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        fields = ask(model, record, changes).difference.fields
        inputs = {field.name for field in model.fields}
        expected = {n: (record.get(n), new) for n, new in changes.items() if record.get(n) != new}
        assert {f.field: (f.before, f.after) for f in fields} == {
            name: pair for name, pair in expected.items() if name in inputs
        }
        sizes = [abs(field.change) for field in fields]
        assert sizes == sorted(sizes, reverse=True)

    def test_a_single_change_is_all_of_the_difference(self, model: ServedModel) -> None:
        answer = ask(model, FULL, {"poste": None})
        [field] = answer.difference.fields
        assert (field.field, field.before, field.after) == ("poste", "Tech Lead", None)
        assert field.change == answer.difference.log_odds != 0

    def test_protected_fields_change_nothing(self, model: ServedModel) -> None:
        answer = ask(model, FULL, {"genre": "M", "age": 25, "statut_marital": None})
        assert answer.before.probability == answer.after.probability
        assert answer.difference.fields == []


class TestSuggestions:
    @given(record=RECORDS, share=st.floats(0.6, 1))
    def test_each_is_the_smallest_change_that_suffices_and_none_is_missing(
        self, model: ServedModel, record: dict[str, Any], share: float
    ) -> None:
        [at_risk] = Scorer(model).score([MODELS.employee.model_validate(record)])
        model = replace(model, threshold=at_risk.probability * share)
        found = {suggestion.field: suggestion.to for suggestion in ask(model, record, {}).suggestions}
        brute = {name: by_brute_force(model, record, name) for name in TECHNOVA.levers}
        assert found == {name: value for name, value in brute.items() if value is not None}

    @given(record=RECORDS, changes=CHANGES, threshold=THRESHOLDS)
    def test_they_start_from_the_changed_record_and_end_where_predict_says(
        self, model: ServedModel, record: dict[str, Any], changes: dict[str, Any], threshold: float
    ) -> None:
        model = replace(model, threshold=threshold)
        answer = ask(model, record, changes)
        changed = {**record, **changes}
        for suggestion in answer.suggestions:
            assert suggestion.from_ == changed[suggestion.field]
            employee = MODELS.employee.model_validate({**changed, suggestion.field: suggestion.to})
            [scored] = Scorer(model).score([employee])
            assert scored.probability == suggestion.probability < threshold
            warnings = Scorer(model).answer(scored, "fr").warnings
            assert not any(warning.startswith(f"{suggestion.field} = ") for warning in warnings)

    def test_they_come_in_the_order_of_the_levers(self, model: ServedModel) -> None:
        record = {**FULL, "annees_depuis_la_derniere_promotion": 5, "frequence_deplacement": "Frequent"}
        [at_risk] = Scorer(model).score([MODELS.employee.model_validate(record)])
        found = ask(replace(model, threshold=at_risk.probability), record, {}).suggestions
        order = [list(TECHNOVA.levers).index(suggestion.field) for suggestion in found]
        assert len(order) > 3
        assert order == sorted(order)


def made(name: str, effect: Curve | Table, *, seen: tuple[float, float] = (0, 100)) -> ServedModel:
    """Return a model of one field: flagged from log-odds 0 on."""
    scorecard = Scorecard(0.0, {name: effect})
    return ServedModel("churn:made", scorecard, 0.5, TECHNOVA, {name: seen}, {}, PASSED)


def suggested(model: ServedModel, **changes: object) -> list[Any]:
    [scored] = Scorer(model).score([MODELS.employee.model_validate({**EXAMPLE, **changes})])
    return [suggestion.to for suggestion in suggest(model, scored, "fr")]


class TestLevers:
    """Each rule of the levers on a model made for it."""

    def test_a_curve_that_rises_before_it_falls_is_searched_to_its_end(self) -> None:
        # 1 at 0, 3 at 1, falling by 1 a unit from there: the first below 0 is past 4.
        model = made("nb_formations_suivies", Curve((0, 1, 6), ((2, 1), (-1, 3))))
        assert suggested(model, nb_formations_suivies=0) == [5]

    def test_the_first_dip_is_taken_though_a_later_one_is_deeper(self) -> None:
        model = made("nb_formations_suivies", Curve((0, 1, 2, 6), ((-2, 1), (2, -1), (-1, 1))))
        assert suggested(model, nb_formations_suivies=0) == [1]

    def test_just_reaching_the_threshold_does_not_suffice(self) -> None:
        model = made("nb_formations_suivies", Curve((0, 6), ((-1, 2),)))
        assert suggested(model, nb_formations_suivies=0) == [3]

    def test_a_number_goes_in_its_direction_only(self) -> None:
        falling, rising = Curve((0, 100), ((-1, 50),)), Curve((0, 100), ((1, -50),))
        assert suggested(made("distance_domicile_travail", falling), distance_domicile_travail=40) == []
        assert suggested(made("distance_domicile_travail", rising), distance_domicile_travail=60) == [49]
        assert suggested(made("nombre_participation_pee", rising), nombre_participation_pee=60) == []
        assert suggested(made("nombre_participation_pee", falling), nombre_participation_pee=40) == [51]

    def test_a_number_never_leaves_what_training_has_seen(self) -> None:
        rising = Curve((0, 100), ((1, -50),))
        model = made("distance_domicile_travail", rising, seen=(49.5, 80))
        assert suggested(model, distance_domicile_travail=60) == []
        assert suggested(model, distance_domicile_travail=60.5) == [49.5]
        narrow = made("distance_domicile_travail", Curve((1, 29), ((1, -10),)), seen=(1, 29))
        far = {29.5: 10.5, 1000: 10, 1e12: 10}
        for value, nearest in far.items():  # counted, not walked: the last would take years
            assert suggested(narrow, distance_domicile_travail=value) == [nearest]
        assert suggested(made("distance_domicile_travail", rising, seen=(1, 40.2)),
                         distance_domicile_travail=100.5) == [39.5]  # fmt: skip

    def test_pay_rises_by_steps_of_50_to_half_as_much_again(self) -> None:
        falling = Curve((0, 20_000), ((-1, 3_000),))
        model = made("revenu_mensuel", falling, seen=(1_000, 19_999))
        assert suggested(model, revenu_mensuel=2_460) == [3_010]
        assert suggested(model, revenu_mensuel=2_001) == [3_001]
        assert suggested(model, revenu_mensuel=1_999) == []  # 2,999 at most: it would take 3,049

    def test_a_promotion_sets_its_years_to_none(self) -> None:
        name, rising = "annees_depuis_la_derniere_promotion", Curve((0, 15), ((1, -0.5),))
        assert suggested(made(name, rising), annees_depuis_la_derniere_promotion=15) == [0]
        assert suggested(made(name, rising, seen=(1, 15)), annees_depuis_la_derniere_promotion=15) == []
        always = Curve((0, 15), ((1, 0.5),))
        assert suggested(made(name, always), annees_depuis_la_derniere_promotion=15) == []
        assert suggested(made(name, always), annees_depuis_la_derniere_promotion=0) == []

    def test_travel_goes_down_its_order_to_what_training_has_seen(self) -> None:
        points = {"Frequent": 1.0, "Occasionnel": 0.0, "Aucun": -1.0}
        model = made("frequence_deplacement", Table(points))
        assert suggested(model, frequence_deplacement="Frequent") == ["Aucun"]
        assert suggested(model, frequence_deplacement="Aucun") == []
        upside_down = made(
            "frequence_deplacement", Table({"Frequent": -1.0, "Occasionnel": 1.0, "Aucun": 2.0})
        )
        assert suggested(upside_down, frequence_deplacement="Occasionnel") == []

    def test_a_category_that_no_row_has_taught_is_not_suggested(self) -> None:
        # The odds are even at contribution 0: only a threshold above them lets an untaught category pass.
        model = replace(made("heure_supplementaires", Table({"Oui": 1.0, "Non": 0.0})), threshold=0.6)
        assert suggested(model, heure_supplementaires="Oui") == []
        taught = replace(made("heure_supplementaires", Table({"Oui": 1.0, "Non": 0.01})), threshold=0.6)
        assert suggested(taught, heure_supplementaires="Oui") == ["Non"]

    def test_what_is_unknown_or_no_input_of_the_model_is_not_suggested(self) -> None:
        falling = Curve((0, 6), ((-1, 2),))
        assert suggested(made("nb_formations_suivies", falling)) == []
        assert suggested(made("niveau_education", falling), nb_formations_suivies=0, niveau_education=1) == []

    def test_steps_of_a_decimal_number_gather_no_rounding(self) -> None:
        model = made("distance_domicile_travail", Curve((0, 100), ((1, -1.5),)))
        assert 20.1 - 19 != 1.1
        assert suggested(model, distance_domicile_travail=20.1) == [1.1]

    def test_only_what_an_employer_sets_is_a_lever(self) -> None:
        features = {field.name for field in TECHNOVA.features}
        assert set(TECHNOVA.levers) == {
            "heure_supplementaires", "frequence_deplacement", "distance_domicile_travail",
            "nb_formations_suivies", "nombre_participation_pee", "annees_depuis_la_derniere_promotion",
            "augmentation_salaire_precedente", "revenu_mensuel",
        }  # fmt: skip
        assert set(TECHNOVA.levers) <= features
        for name, lever in TECHNOVA.levers.items():
            assert set(lever.order) == set(TECHNOVA.by_name[name].categories)
            assert (lever.step != 0) + (lever.reset is not None) + bool(lever.order) == 1


class TestMessage:
    def test_it_says_how_the_what_if_ends(self) -> None:
        model = made("nb_formations_suivies", Curve((0, 6), ((-1, 2),)), seen=(0, 6))
        said = {}
        for changes in ({}, {"nb_formations_suivies": 1}, {"nb_formations_suivies": 5}):
            for first in (0, 4):
                answer = ask(model, {**EXAMPLE, "nb_formations_suivies": first}, changes)
                said[first, changes.get("nb_formations_suivies")] = answer.message
        suffices = "Chacun des changements proposés suffit à lui seul à passer sous le seuil"
        assert said == {
            (0, None): suffices,
            (0, 1): suffices,
            (4, 1): suffices,
            (4, None): "Déjà sous le seuil : aucun changement n'est nécessaire",
            (0, 5): "Ces changements suffisent à passer sous le seuil",
            (4, 5): "Sous le seuil avant comme après ces changements",
        }

    def test_it_says_that_none_does(self) -> None:
        model = made("nb_formations_suivies", Curve((0, 6), ((-1, 9),)), seen=(0, 6))
        record = {**EXAMPLE, "nb_formations_suivies": 0}
        for language, message in (
            ("fr", "Aucun changement à lui seul ne suffit à passer sous le seuil"),
            ("en", "No single change suffices to fall below the threshold"),
        ):
            answer = ask(model, record, {}, language)  # type: ignore[arg-type]
            assert (answer.suggestions, answer.message) == ([], message)


class TestRoute:
    def test_both_predictions_the_difference_and_suggestions(
        self, served: Served, model: ServedModel
    ) -> None:
        body = {"employee": FULL, "changes": {"heures_supp": "non", "augementation_salaire_precedente": 0.15}}
        response = served.client.post("/what_if", json=body)
        assert response.status_code == 200
        answer = response.json()
        assert list(answer) == ["before", "after", "difference", "suggestions", "message"]
        changed = {**FULL, "heure_supplementaires": "Non", "augmentation_salaire_precedente": 0.15}
        for part, record in (("before", FULL), ("after", changed)):
            alone = served.client.post("/predict", json=record).json()
            assert answer[part] == {**alone, "prediction_id": answer[part]["prediction_id"]}
        by_field = {f["field"]: (f["before"], f["after"]) for f in answer["difference"]["fields"]}
        assert by_field == {
            "heure_supplementaires": ("Oui", "Non"),
            "augmentation_salaire_precedente": (11, 15),
        }

    @pytest.mark.parametrize("body", [{"employee": EXAMPLE}, {"employee": EXAMPLE, "changes": {}}])
    def test_changes_may_be_absent_or_empty(self, served: Served, body: dict[str, Any]) -> None:
        answer = served.client.post("/what_if", json=body).json()
        assert answer["difference"] == {"probability": 0, "log_odds": 0, "fields": []}
        assert answer["before"]["probability"] == answer["after"]["probability"]

    def test_it_speaks_the_language_of_the_request(self, served: Served) -> None:
        first, messages = [], []
        for language in ("fr", "en"):
            answer = served.client.post(
                "/what_if", json={"employee": OVERWORKED}, headers={"Accept-Language": language}
            ).json()
            first.append(
                answer["suggestions"][0]["text"].rpartition(" à " if language == "fr" else " to ")[0]
            )
            messages.append(answer["message"])
        assert first == [
            "Heures supplémentaires : passer de oui à non ramène le risque",
            "Overtime: going from yes to no brings the risk down",
        ]
        assert messages == [
            "Chacun des changements proposés suffit à lui seul à passer sous le seuil",
            "Each of the suggested changes suffices alone to fall below the threshold",
        ]

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(record=OVERWORKED, changes={"distance_domicile_travail": 3})
    @example(record=UNDECIDED, changes={})
    @given(record=RECORDS, changes=CHANGES)
    def test_what_is_suggested_holds_through_predict_and_less_does_not(
        self, served: Served, record: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        answer = served.client.post("/what_if", json={"employee": record, "changes": changes}).json()
        for suggestion in answer["suggestions"]:
            name, lever = suggestion["field"], TECHNOVA.levers[suggestion["field"]]
            changed = {**record, **changes, name: suggestion["to"]}
            said = served.client.post("/predict", json=changed).json()
            assert (said["prediction"], said["probability"]) == (0, suggestion["probability"])
            if lever.step:
                less = {**changed, name: round(suggestion["to"] - lever.step, 9)}
                assert served.client.post("/predict", json=less).json()["prediction"] == 1

    def test_it_is_one_request_with_two_inputs(self, served: Served) -> None:
        body = {"employee": FULL, "changes": {"heure_supplementaires": "Non"}}
        response = served.client.post("/what_if", json=body)
        answer = response.json()
        requests, inputs, features, results, responses = (rows(served, table) for table in JOURNAL)
        assert [row.route for row in requests] == ["/what_if"]
        assert str(requests[0].id) == response.headers["X-Request-ID"]
        assert [(row.position, row.employee_id) for row in inputs] == [(0, "4711"), (1, "4711")]
        assert [row.record["heure_supplementaires"] for row in inputs] == ["Oui", "Non"]
        assert len(features) == 2
        said = [answer["before"]["prediction_id"], answer["after"]["prediction_id"]]
        assert [str(row.id) for row in results] == said
        assert [row.body for row in responses] == [answer]

    def test_what_is_wrong_is_named_with_its_place(self, served: Served) -> None:
        body = {
            "employee": {**EXAMPLE, "age": 17},
            "changes": {"employee_id": 12, "a_quitte_l_entreprise": "Non", "pee": None, "couleur": 987654},
        }
        response = served.client.post("/what_if", json=body)
        assert response.status_code == 422
        entries = {(*e["loc"],): (e["type"], e["msg"]) for e in response.json()["detail"]}
        assert entries == {
            ("body", "employee", "age"): ("greater_than_equal", "attendu : un entier de 18 à 70"),
            ("body", "changes", "employee_id"): (
                "same_person", "un changement porte sur la même personne : à retirer des changements"
            ),
            ("body", "changes", "a_quitte_l_entreprise"): (
                "target", "c'est ce que le modèle prédit : à retirer de la demande"
            ),
            ("body", "changes", "nombre_participation_pee"): (
                "missing", "champ obligatoire; attendu : un entier ≥ 0"
            ),
            ("body", "changes", "couleur"): ("unknown_field", "champ inconnu"),
        }  # fmt: skip
        requests, *others, responses = (rows(served, table) for table in JOURNAL)
        assert (len(requests), others, responses[0].status) == (1, [[], [], []], 422)
        assert "987654" not in str(responses)
