"""The page of what has moved, without a browser; tests/test_pages_in_browser.py has it in one."""

import re

import pytest
from starlette.testclient import TestClient

from churn.core.language import Language
from churn.dictionary.technova import TECHNOVA
from harness.identities import a_user
from tests.conftest import Served
from tests.support.pages import sign_in, words
from tests.test_drift import ENOUGH, overtime, people, predict


def signed_in(served: Served, role: str = "auditor") -> TestClient:
    """Return the browser of somebody who signs in."""
    a_user(served.engine, "ruth", role=role)
    del served.client.headers["Authorization"]
    sign_in(served.client, "ruth")
    return served.client


def test_without_predictions_it_says_so(served: Served) -> None:
    ruth = signed_in(served)
    assert "There is no prediction by model" in words(ruth.get("/app/monitoring?lang=en"))
    assert "Aucune prédiction du modèle" in words(ruth.get("/app/monitoring?lang=fr"))


def test_of_one_row_nothing_is_told_in_the_singular(served: Served) -> None:
    predict(served, people(1))
    ruth = signed_in(served)
    assert "Nothing can be told from one row: " in words(ruth.get("/app/monitoring?lang=en"))
    assert (
        "conclure d&#39;une ligne\N{NO-BREAK SPACE}: il en faudrait"
        in ruth.get("/app/monitoring?lang=fr").text
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_has_moved_is_marked_and_drawn_first(served: Served, language: Language) -> None:
    predict(served, people(ENOUGH, heure_supplementaires=overtime(0.6)))
    page = signed_in(served).get("/app/monitoring", params={"lang": language, "last": ENOUGH})
    label = TECHNOVA.by_name["heure_supplementaires"].label(language)
    moved = {"fr": "a bougé", "en": "moved"}[language]
    rows = re.findall(r'<th scope="row">(.*?)</th>', page.text)
    assert rows[0] == f"<strong>{label} ({moved})</strong>"
    assert len(rows) == 2 * len(TECHNOVA.features)
    assert page.text.count('class="raises"') + page.text.count('class="lowers"') == len(TECHNOVA.features)
    assert 'value="400"' in page.text


def test_a_filter_that_cannot_be_read_is_named_beside_it(served: Served) -> None:
    ruth = signed_in(served)
    page = ruth.get("/app/monitoring?lang=en&since=yesterday&last=0&model=churn:nobody")
    assert page.status_code == 422
    text = words(page)
    assert "expected a date, such as 2026-03-31" in text
    assert "expected an integer from 1 to 10000" in text
    page = ruth.get("/app/monitoring?model=churn:nobody")
    assert (page.status_code, 'id="model-error"' in page.text) == (422, True)


def test_the_last_day_is_included(served: Served) -> None:
    predict(served, people(5))
    ruth = signed_in(served)
    today = served.client.get("/app/history").text.partition('datetime="')[2][:10]
    assert "Nothing can be told from 5 rows" in words(ruth.get(f"/app/monitoring?lang=en&until={today}"))


def test_who_may_not_read_the_history_does_not_open_it(served: Served) -> None:
    assert signed_in(served, role="operator").get("/app/monitoring").status_code == 403
