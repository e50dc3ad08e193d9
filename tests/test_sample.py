"""The embedded sample: the extracts' form, nobody's data, and a signal that holds for real employees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from churn.cli.source import SAMPLE_ROWS
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model.sample import FACTS, make_employees, write_sample
from churn.training import train
from churn.training.candidates import OF_THE_SAMPLE
from churn.training.learner import Learner
from tests.support.company import EXTRACTS
from tests.support.plans import QUICK
from tests.support.real_data import REAL_DATA, needs_real_data


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    return make_employees(20_000, seed=5)


def texts(folder: Path, extract: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"extrait_{extract}.csv", dtype=str)


def contents(folder: Path) -> list[bytes]:
    return [(folder / f"extrait_{extract}.csv").read_bytes() for extract in EXTRACTS]


class TestForm:
    def test_every_value_is_accepted_and_every_employee_is_in_each_extract(self, directory: Path) -> None:
        assert len(extracts.read(directory, TECHNOVA)) == 1500

    @needs_real_data
    @pytest.mark.parametrize("extract", EXTRACTS)
    def test_columns_and_their_order_are_those_of_the_real_extract(
        self, directory: Path, extract: str
    ) -> None:
        assert list(texts(directory, extract)) == list(texts(REAL_DATA, extract))

    def test_ids_have_gaps_and_each_extract_its_own_way_to_write_them(self, directory: Path) -> None:
        ids = texts(directory, "sirh")["id_employee"]
        assert ids.astype(int).is_monotonic_increasing
        assert ids.astype(int).max() > len(ids)
        assert (texts(directory, "eval")["eval_number"] == "E_" + ids).all()
        assert (texts(directory, "sondage")["code_sondage"] == "00000" + ids).all()

    def test_pay_rises_are_written_in_percent(self, directory: Path) -> None:
        assert texts(directory, "eval")["augementation_salaire_precedente"].str.fullmatch(r"\d\d %").all()

    def test_constant_columns_are_constant(self, directory: Path) -> None:
        assert set(texts(directory, "sirh")["nombre_heures_travailless"]) == {"80"}
        assert set(texts(directory, "sondage")["nombre_employee_sous_responsabilite"]) == {"1"}
        assert set(texts(directory, "sondage")["ayant_enfants"]) == {"Y"}

    @pytest.mark.parametrize("rows", [1, 2, 37])
    def test_any_number_of_employees(self, tmp_path: Path, rows: int) -> None:
        write_sample(tmp_path, rows=rows)
        assert len(extracts.read(tmp_path, TECHNOVA)) == rows


class TestSeed:
    def test_the_same_seed_gives_the_same_bytes(self, directory: Path, tmp_path: Path) -> None:
        write_sample(tmp_path)
        assert contents(tmp_path) == contents(directory)

    def test_another_seed_gives_others(self, directory: Path, tmp_path: Path) -> None:
        write_sample(tmp_path, seed=1)
        assert all(one != other for one, other in zip(contents(tmp_path), contents(directory), strict=True))


class TestPlausibility:
    @pytest.mark.parametrize(("smaller", "larger", "margin"), TECHNOVA.implausible)
    def test_careers_are_possible(self, many: pd.DataFrame, smaller: str, larger: str, margin: float) -> None:
        assert (many[smaller] + margin <= many[larger]).all()

    def test_nobody_worked_before_eighteen(self, many: pd.DataFrame) -> None:
        assert (many["age"] - many["annee_experience_totale"] >= 18).all()

    def test_departures_are_as_frequent_as_measured(self, many: pd.DataFrame, directory: Path) -> None:
        assert (many[TECHNOVA.target.name] == TECHNOVA.left).mean() == pytest.approx(0.16, abs=0.015)
        assert (
            extracts.read(directory, TECHNOVA)[TECHNOVA.target.name] == TECHNOVA.left
        ).mean() == pytest.approx(0.16, abs=0.03)

    def test_jobs_belong_to_departments_and_levels(self, many: pd.DataFrame) -> None:
        departments = many.groupby("poste")["departement"].nunique()
        assert (departments.drop("Senior Manager") == 1).all()
        levels = many["niveau_hierarchique_poste"]
        assert (levels[many["poste"] == "Directeur Technique"] >= 3).all()
        assert (levels[many["poste"] == "Représentant Commercial"] <= 2).all()

    @needs_real_data
    def test_numbers_rank_together_as_in_reality(self, many: pd.DataFrame) -> None:
        names = [field.name for field in TECHNOVA.fields if field.numeric]
        real = extracts.read(REAL_DATA, TECHNOVA)[names].corr("spearman")
        assert np.abs((many[names].corr("spearman") - real).to_numpy()).max() < 0.2

    @needs_real_data
    def test_numbers_and_categories_are_spread_as_in_reality(self, many: pd.DataFrame) -> None:
        real = extracts.read(REAL_DATA, TECHNOVA)
        for field in TECHNOVA.features:
            if field.numeric:
                standardised = (many[field.name] - real[field.name].mean()) / real[field.name].std()
                assert float(standardised.mean()) == pytest.approx(0, abs=0.2), field.name
            else:
                shares = many[field.name].value_counts(normalize=True)
                measured = real[field.name].astype(str).value_counts(normalize=True)
                assert shares.sub(measured, fill_value=0).abs().max() < 0.03, field.name

    @needs_real_data
    def test_incomes_go_with_the_level(self, many: pd.DataFrame) -> None:
        def spread(employees: pd.DataFrame) -> pd.DataFrame:
            incomes = employees.groupby("niveau_hierarchique_poste")["revenu_mensuel"]
            return incomes.quantile(np.array([0.1, 0.5, 0.9])).unstack()

        measured = spread(extracts.read(REAL_DATA, TECHNOVA))
        np.testing.assert_allclose(spread(many), measured, rtol=0.1)


class TestPrivacy:
    @needs_real_data
    def test_no_employee_of_the_sample_exists(self, many: pd.DataFrame) -> None:
        names = [field.name for field in TECHNOVA.fields if field.role not in ("identifier", "target")]
        real = extracts.read(REAL_DATA, TECHNOVA)[names]
        real = real.astype({name: np.int64 for name in names if TECHNOVA.by_name[name].numeric})
        assert not set(many[names].itertuples(index=False)) & set(real.itertuples(index=False))

    def test_facts_are_few(self) -> None:
        assert FACTS.stat().st_size < 16_000


class TestSignal:
    def test_a_model_of_the_sample_is_neither_blind_nor_clairvoyant(self, directory: Path) -> None:
        plan = replace(QUICK, folds=3, candidates=(OF_THE_SAMPLE,))
        metrics = train(extracts.read(directory, TECHNOVA), TECHNOVA, plan=plan).report.metrics
        assert 0.75 <= metrics["roc_auc"].mean <= 0.93
        assert metrics["brier"].mean <= 0.12
        assert 0.4 <= metrics["recall"].mean < 1

    def test_a_first_start_takes_the_candidate_that_would_be_chosen(self, tmp_path: Path) -> None:
        write_sample(tmp_path, rows=SAMPLE_ROWS)
        employees = extracts.read(tmp_path, TECHNOVA)
        has_left = (employees[TECHNOVA.target.name] == TECHNOVA.left).to_numpy()
        assert (
            Learner(TECHNOVA.features)(employees[[f.name for f in TECHNOVA.features]], has_left).candidate
            == OF_THE_SAMPLE
        )

    @needs_real_data
    def test_a_model_of_the_sample_knows_who_leaves_in_reality(self, tmp_path: Path) -> None:
        write_sample(tmp_path, rows=5000)
        model = train(extracts.read(tmp_path, TECHNOVA), TECHNOVA, plan=QUICK)
        real = extracts.read(REAL_DATA, TECHNOVA)
        has_left = real[TECHNOVA.target.name] == TECHNOVA.left
        # No leak above 0.87 here: the sample's effects were measured on these very employees.
        assert roc_auc_score(has_left, model.pipeline.predict_proba(real)[:, 1]) >= 0.82
