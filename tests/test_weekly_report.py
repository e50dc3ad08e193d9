"""The weekly report: drift, a year of outcomes, reviews and the journal's counts, as a page to be printed."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from churn.cli.main import main
from churn.core.language import LANGUAGES, Language
from churn.dictionary.technova import TECHNOVA
from churn.model.registry import ServedModel
from tests.conftest import Served
from tests.support.pages import words
from tests.support.past import days_ago, predicted
from tests.support.year import TODAY, year
from tests.test_drift import ENOUGH, overtime, people, predict
from tests.test_monitoring_page import signed_in

LONG_AGO = 400  # days: more than the horizon
SAYS = {
    "fr": ("Suivi du modèle", "aire sous la courbe ROC", "Les gens contestent 1 des 3 prédictions examinées"),
    "en": ("Monitoring of the model", "The ROC-AUC is", "People disagree with 1 of 3 reviewed predictions"),
}


@pytest.fixture
def busy(served: Served, model: ServedModel) -> Served:
    """A service after a year, and a week in which people have changed."""
    lived = year(300, 3)
    predicted(served.engine, model, lived.records, days_ago(LONG_AGO))
    assert served.client.post("/outcomes", json={"outcomes": lived.sent(LONG_AGO)}).status_code == 200
    lately = predict(served, people(ENOUGH, heure_supplementaires=overtime(0.6)))
    for verdict, one in zip(("agree", "agree", "disagree"), lately, strict=False):
        path = f"/predictions/{one['prediction_id']}/review"
        assert served.client.post(path, json={"verdict": verdict}).status_code == 200
    assert served.client.get("/history", headers={"Authorization": "Bearer wrong"}).status_code == 401
    return served


def counts(text: str, language: Language) -> dict[str, int]:
    """Return what the journal took in, by the name of each row."""
    part = re.sub(
        r"\s", " ", text[text.index("De tous les modèles" if language == "fr" else "Of all models") :]
    )
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([\d\W]*?)</td>', part)
    return {name: int(re.sub(r"\D", "", count)) for name, count in rows}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_tells_the_week(busy: Served, language: Language) -> None:
    page = signed_in(busy).get("/app/monitoring/report", params={"lang": language})
    assert page.status_code == 200
    text = words(page)
    for says in SAYS[language]:
        assert says in text.replace("\u00a0", " ").replace("\u202f", " "), says
    label = TECHNOVA.by_name["heure_supplementaires"].label(language)
    assert re.findall(r'<tr class="own"><th scope="row">([^<]*) \*', page.text)[0] == label
    told = list(counts(page.text, language).values())
    assert told[:3] == [ENOUGH, 3, 300]
    assert told[4:] == [1, 0]


def test_its_own_style_is_all_that_it_may_load(busy: Served) -> None:
    page = signed_in(busy).get("/app/monitoring/report")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r'(?:src|href)="(?!#)', page.text)


def test_another_period_has_its_own_figures(busy: Served) -> None:
    ruth = signed_in(busy)
    day = (TODAY - timedelta(days=LONG_AGO)).isoformat()
    page = ruth.get("/app/monitoring/report", params={"lang": "en", "since": day, "until": day})
    assert list(counts(page.text, "en").values())[:3] == [300, 0, 0]
    assert ruth.get("/app/monitoring/report?since=soon").status_code == 422


def test_the_command_writes_it_in_both_languages(
    busy: Served, model: ServedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", busy.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHURN_MODEL", model.tag)
    file = tmp_path / "week.html"
    done = CliRunner().invoke(main, ["monitor", "report", "-o", str(file)])
    assert (done.exit_code, done.output) == (0, f"{file}: written\n")
    page = file.read_text(encoding="utf-8")
    assert re.findall(r'<article id="(\w+)" lang="(\w+)"', page) == [("fr", "fr"), ("en", "en")]
    for language in LANGUAGES:
        assert SAYS[language][0] in page
    assert not re.search(r'(?:src|href)="(?!#)', page)


def test_answers_metrics_and_pages_of_one_service_tell_it_all(busy: Served) -> None:
    told = {path: busy.client.get(path).json() for path in ("/drift", "/performance", "/oversight")}
    overtime_drift = next(
        field for field in told["/drift"]["figures"]["fields"] if field["name"] == "heure_supplementaires"
    )
    assert (told["/drift"]["verdict"], overtime_drift["alarm"]) == ("drift", True)
    area, share = told["/performance"]["whole"]["figures"]["roc_auc"], told["/oversight"]["whole"]["share"]
    assert told["/oversight"]["verdict"] == "overseen"
    gauges = {
        (
            sample.name,
            *(value for name, value in sorted(sample.labels.items()) if name != "model"),
        ): sample.value
        for family in text_string_to_metric_families(busy.client.get("/metrics").text)
        for sample in family.samples
    }
    assert gauges["churn_drift_moved",] >= 1
    assert gauges["churn_performance_figure", "low", "roc_auc"] == area["low"]
    assert gauges["churn_oversight_disagreed",] == 1
    ruth = signed_in(busy)
    for page, says in (
        ("", "Overtime (moved)"),
        ("/outcomes", "The ROC-AUC is"),
        ("/oversight", "People disagree with 1 of 3"),
    ):
        assert says in words(ruth.get(f"/app/monitoring{page}?lang=en")), page
    assert share["low"] < 1 / 3 < share["high"]
