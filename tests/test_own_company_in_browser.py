"""The pages of another company, in its own words: a real browser, two workers, the journal on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import bentoml
import httpx2
import pandas as pd
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from churn import training
from churn.cli.main import main
from churn.database.engine import opened
from churn.database.tables import employee_inputs, prediction_results
from churn.dictionary.technova import TECHNOVA
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness import postgres
from harness.identities import a_token, bearer
from tests.support.browser import WIDTHS, Visit, browser
from tests.support.crew import employees, write_dictionary
from tests.support.plans import train_quickly
from tests.support.site import Site, serving

__all__ = ["browser"]  # a fixture

N = 30


@pytest.fixture(scope="module")
def crew(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedModel]:
    """Return the crew's model."""
    folder, before = tmp_path_factory.mktemp("crew"), {entry.tag for entry in registry.models()}
    employees().to_csv(folder / "crew.csv", index=False)
    command = ["train", "--data", str(folder / "crew.csv"), "--dictionary", str(write_dictionary(folder))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", train_quickly)
        CliRunner().invoke(
            main, [*command, "--folds", "2", "--repeats", "1", "--resamples", "0"], catch_exceptions=False
        )
    [tag] = {entry.tag for entry in registry.models()} - before
    yield registry.load(str(tag), TECHNOVA)
    bentoml.models.delete(tag)


@pytest.fixture(scope="module")
def site(crew: ServedModel, postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site of the crew's model."""
    with (
        postgres.database(postgresql) as url,
        serving(crew, tmp_path_factory.mktemp("site"), url) as site,
    ):
        yield site


def fill_in(page: Page) -> None:
    """Describe one of the crew, as a French reader does."""
    page.get_by_label("Paie (CHF)").fill("4 000,50")
    page.get_by_label("Embauche").fill("15/01/2026")
    page.get_by_label("Travail de nuit").select_option(label="Oui")


def test_the_form_and_what_if_speak_of_its_fields_alone(browser: Browser, site: Site) -> None:
    with Visit.begin(browser, locale="fr-FR") as visit:
        page = site.open_page(visit, "app/employee")
        fill_in(page)
        page.get_by_label("Embauche").fill("hier")
        page.get_by_role("button", name="Estimer le risque").click()
        page.get_by_role("alert").get_by_text("une date, comme 31/03/2019").wait_for()
        assert page.get_by_label("Paie (CHF)").input_value() == "4 000,50"
        page.get_by_label("Embauche").fill("15/01/2026")
        page.get_by_role("button", name="Estimer le risque").click()
        page.get_by_role("row", name="Travail de nuit : Oui, augmente le risque").wait_for()
        assert visit.barriers() == []
        page.get_by_role("button", name="Essayer des changements").click()
        page.get_by_text("Modifiez un champ du formulaire").wait_for()
        page.get_by_label("Travail de nuit").select_option(label="Non")
        page.get_by_role("row", name="Travail de nuit : oui → non").wait_for()
        before, after = page.locator(".share strong").all_inner_texts()
        assert int(after.split()[0]) < int(before.split()[0])
        assert not [field.name for field in TECHNOVA.features if field.name in page.content()]
        site.assert_sound(visit)


def test_its_file_is_understood_scored_and_downloaded(browser: Browser, site: Site, tmp_path: Path) -> None:
    """A file as the company's own spreadsheet writes it: other labels, a semicolon, a decimal comma."""
    path = tmp_path / "équipage.csv"
    table = employees(N).drop(columns=["gone", "sex", "ship"])
    table["pay"] = [f"{pay:.2f}".replace(".", ",") for pay in table["pay"]]
    table.loc[3, "hired"] = "31/02/2026"
    labels = {"pay": "Paie", "team": "Équipe", "hired": "Embauche", "nights": "Travail de nuit"}
    path.write_bytes(table.rename(columns=labels).to_csv(index=False, sep=";").encode("cp1252"))
    with Visit.begin(browser, WIDTHS[0], "fr-FR", color_scheme="dark") as visit:
        page = site.open_page(visit, "app/file")
        page.locator("#file").set_input_files(path)
        page.get_by_role("button", name="Vérifier le fichier").click()
        page.get_by_text("Rien n'est encore calculé").wait_for()
        page.get_by_role("row", name="5 Embauche une date, comme 31/03/2019").wait_for()
        page.get_by_text("5 colonnes comprises").click()
        assert page.get_by_role("row", name="Équipe Équipe").is_visible()
        assert visit.barriers() == []
        page.get_by_role("button", name="Calculer les risques").click()
        page.get_by_text("risques calculés").wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name="Excel").first.click()
        scores = pd.read_excel(download.value.path(), engine="calamine")
        assert len(scores) == N - 1
        assert "Travail de nuit" in scores.to_csv()
        site.assert_sound(visit)


def test_what_it_was_told_is_journalled_sealed_and_found_again(browser: Browser, site: Site) -> None:
    record = {"Paie": 4000, "Embauche": "15/01/2026", "Travail de nuit": "oui", "badge": "B-7"}
    with opened(site.database) as engine:
        headers = {"Authorization": bearer(a_token(engine, "ship", scopes=["predict", "history"]))}
        with httpx2.Client(base_url=site.url, headers=headers) as caller:
            made = caller.post("/predict", json=record).raise_for_status().json()
            found = caller.get("/history", params={"employee_id": "B-7", "details": "true"}).json()
        with engine.connect() as connection:
            rows = connection.execute(
                select(prediction_results.c.caller_name, employee_inputs.c.employee_id)
                .join(employee_inputs, employee_inputs.c.id == prediction_results.c.id)
                .where(employee_inputs.c.employee_id == "B-7")
            ).all()
        assert verify(engine).findings == []
    assert rows == [("ship", "B-7")]
    assert [one["prediction_id"] for one in found["predictions"]] == [made["prediction_id"]]
    with Visit.begin(browser, locale="fr-FR") as visit:
        page = site.open_page(visit, f"app/history/{made['prediction_id']}")
        page.get_by_role("row", name="Travail de nuit : Oui, augmente le risque").wait_for()
        page.get_by_label("D'accord", exact=True).check()
        page.get_by_role("button", name="Enregistrer l'avis").click()
        page.locator(".review:target").wait_for()
        assert not [field.name for field in TECHNOVA.features if field.name in page.content()]
        site.assert_sound(visit)
