"""The report and the card, drawn from a small trained model."""

import copy
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from churn import training
from churn.core.errors import ModelError
from churn.dictionary.technova import TECHNOVA
from churn.i18n import four_fifths, limits, terms
from churn.i18n.formatting import Locale
from churn.ingest import extracts
from churn.model import effects, scorecard
from churn.model.pipeline import compile_scorecard
from churn.report import notes, panels, readings
from churn.report.pages import render
from churn.training import fairness
from churn.training.challengers import Challenger
from churn.training.plan import Plan
from tests.support.plans import ONE

Facts = dict[str, Any]
PAGES = ("report.fr.html", "report.en.html")
CARDS = ("MODEL_CARD.md", "MODEL_CARD.fr.md")
FEW = ("revenu_mensuel", "nb_formations_suivies", "distance_domicile_travail", "departement")


class Page(HTMLParser):
    """What a page is made of: its tags with their attributes, and its text outside of `<style>`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self._inside != "style":
            self.texts.append(data)

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def text(self) -> str:
        return flat(" ".join(self.texts))


def flat(text: str) -> str:
    """Return a text with one plain space where there is any."""
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def facts(sample: Path) -> Facts:
    """Return what the store keeps of a model, after its way through JSON."""
    plan = Plan(folds=3, repeats=1, candidates=ONE, resamples=20)
    trained = training.train(extracts.read(sample, TECHNOVA), TECHNOVA, plan=plan)
    metrics = trained.report.metrics
    challengers = tuple(Challenger(name, dict(metrics)) for name in terms.CHALLENGERS)
    report = replace(trained.report, challengers=challengers).to_dict()
    kept = {
        **report,
        "tag": "churn:abcdefgh",
        "created_at": "2026-01-02T03:04:05+00:00",
        "data_fingerprint": "sha256:" + "ab12" * 16,
        "sample": False,
        "library_versions": {"scikit-learn": "1.8.0", "numpy": "2.3.0"},
        "scorecard": compile_scorecard(trained.pipeline).to_dict(),
    }
    read: Facts = json.loads(json.dumps(kept))
    return read


@pytest.fixture(scope="module")
def documents(facts: Facts) -> dict[str, str]:
    return render(facts, TECHNOVA)


@pytest.fixture(scope="module")
def pages(documents: dict[str, str]) -> dict[str, Page]:
    return {name: Page(documents[name]) for name in PAGES}


def other(facts: Facts, **changes: Any) -> Facts:
    return copy.deepcopy(facts) | changes


def of_few_fields(facts: Facts) -> Facts:
    """Return facts with fewer effects, each of which is a chart that takes a while to draw."""
    changed = other(facts)
    effects = changed["scorecard"]["effects"]
    changed["scorecard"]["effects"] = {name: effects[name] for name in FEW}
    return changed


def test_the_documents_are_a_report_and_a_card_in_each_language(documents: dict[str, str]) -> None:
    assert set(documents) == {*PAGES, *CARDS}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_from_anywhere(
    name: str, documents: dict[str, str], pages: dict[str, Page]
) -> None:
    loading = {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"}
    assert not loading & {tag for tag, _ in pages[name].tags}
    for tag, attributes in pages[name].tags:
        for attribute in ("src", "href", "xlink:href", "data", "action", "srcset"):
            if tag != "a" and attribute in attributes:
                assert attributes[attribute].startswith("#"), (tag, attributes)
        assert not any(attribute.startswith("on") for attribute in attributes)
    outside = re.sub(r'<a href="https://[^"]+">', "", documents[name])
    assert "http:" not in outside
    assert "https:" not in outside
    assert "@import" not in outside
    assert not re.search(r"url\((?!#)", outside)


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_every_reference_has_its_target(name: str, pages: dict[str, Page]) -> None:
    ids = [attributes["id"] for _, attributes in pages[name].tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    values = [value for _, attributes in pages[name].tags for value in attributes.values()]
    internal = {value[1:] for value in values if value.startswith("#") and not re.fullmatch(r"#\w{6}", value)}
    internal |= {found for value in values for found in re.findall(r"url\(#([^)]+)\)", value)}
    assert internal
    assert internal <= set(ids)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_a_screen_reader(name: str, pages: dict[str, Page]) -> None:
    page = pages[name]
    assert page.all("html")[0]["lang"] == name.split(".")[1]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    drawings = page.all("svg")
    assert drawings
    assert all(one["role"] == "img" and len(one["aria-label"]) > 5 for one in drawings)
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))


def test_both_languages_have_the_same_structure(pages: dict[str, Page]) -> None:
    french, english = (
        [
            (tag, attributes.get("id"))
            for tag, attributes in pages[name].tags
            if tag in ("h2", "h3", "tr", "svg")
        ]
        for name in PAGES
    )
    assert french == english


@pytest.mark.parametrize("name", [*PAGES, *CARDS])
def test_nothing_of_the_other_language_and_no_placeholder_is_left(
    name: str, documents: dict[str, str]
) -> None:
    french = ".fr." in name
    text = documents[name].split("---\n\n", 1)[-1] if name in CARDS else documents[name]
    shown = Page(text)
    labels = " ".join(attributes.get("aria-label", "") for attributes in shown.all("svg"))
    read = flat(f"{shown.text} {labels}").casefold()
    strangers = (
        (" the ", " of ", " which ", " people ", "overtime", "threshold", "departures", "years", "employees")
        if french
        else (" le ", " les ", " des ", " qui ", " est ", "seuil", "heures", "employés", "départ", "années")
    )
    assert [word for word in strangers if word in read] == []
    assert not re.search(r"\{\w*\}|\{\{|Undefined|\bnan\b", read, re.IGNORECASE)
    # In English, it is also how often somebody travels.
    assert not french or "none" not in read


@pytest.mark.parametrize("name", PAGES)
def test_every_field_of_the_scorecard_is_drawn(name: str, facts: Facts, pages: dict[str, Page]) -> None:
    drawn = {one["id"]: one for one in pages[name].all("svg")}
    for field in facts["scorecard"]["effects"]:
        label = TECHNOVA.by_name[field].label("fr" if ".fr." in name else "en")
        assert drawn[f"chart-effect-{field}"]["aria-label"].startswith(label)


def effects_of(facts: Facts) -> list[effects.FieldEffect]:
    return effects.read(scorecard.from_dict(facts["scorecard"]), facts["summaries"], TECHNOVA)


def test_effects_are_those_of_the_scorecard_and_sorted_by_weight(facts: Facts) -> None:
    card, found = scorecard.from_dict(facts["scorecard"]), effects_of(facts)
    assert [one.importance for one in found] == sorted((one.importance for one in found), reverse=True)
    for one in found:
        assert sum(one.counts) == facts["n_rows"]
        for value, log_odds in zip(one.values, one.log_odds, strict=True):
            assert card.effects[one.field.name].of(value) == log_odds  # type: ignore[arg-type]
    [overtime] = [one for one in found if one.field.name == "heure_supplementaires"]
    oui, non = (card.effects["heure_supplementaires"].of(x) for x in ("Oui", "Non"))  # type: ignore[arg-type]
    yes, no = (overtime.counts[overtime.values.index(x)] for x in ("Oui", "Non"))
    assert overtime.importance == pytest.approx((abs(oui) * yes + abs(non) * no) / (yes + no))


def test_the_weight_of_whole_numbers_counts_each_of_them(facts: Facts) -> None:
    [found] = [one for one in effects_of(facts) if one.field.name == "satisfaction_employee_equipe"]
    assert found.values == (1, 2, 3, 4)
    [summary] = [one for one in facts["summaries"] if one["name"] == found.field.name]
    assert found.counts == tuple(n for n in summary["counts"] if n)


def test_the_calibration_multiplies_effects_by_what_the_report_says(facts: Facts) -> None:
    least, average, most = effects.shares(scorecard.from_dict(facts["scorecard"]))
    slopes = facts["scorecard"]["calibration"]
    assert (least, most) == (min(slopes["low"], slopes["high"]), max(slopes["low"], slopes["high"]))
    assert least <= average <= most


@pytest.mark.parametrize("name", [*PAGES, *CARDS])
def test_the_figures_are_those_of_the_facts(name: str, facts: Facts, documents: dict[str, str]) -> None:
    locale = Locale("fr" if ".fr." in name else "en", TECHNOVA)
    text = flat(Page(documents[name]).text)
    for metric in terms.METRICS:
        assert flat(locale.spread(facts["metrics"][metric], 3)) in text
    counts = facts["curves"]["confusion"]
    for count in ("true_positives", "false_positives", "false_negatives"):
        assert flat(locale.count(counts[count])) in text
    assert flat(locale.percent(facts["threshold"]["value"], 1)) in text
    for audit in facts["fairness"]:
        for group in audit["groups"]:
            assert flat(locale.points(group["calibration_gap"])) in text
        assert flat(locale.estimate(audit["ratio"])) in text
    assert facts["tag"] in text
    assert facts["data_fingerprint"] in text
    assert "2026-01-02 03:04:05 UTC" in text


@pytest.mark.parametrize("name", PAGES)
def test_every_choice_and_challenger_is_in_words(name: str, facts: Facts, pages: dict[str, Page]) -> None:
    locale = Locale("fr" if ".fr." in name else "en", TECHNOVA)
    for choice in facts["choices"]:
        named = terms.policy(choice["policy"], locale)
        assert named != choice["policy"]
        assert flat(named) in pages[name].text
    for title in terms.CHALLENGERS.values():
        assert locale.pick(title) in pages[name].text


def test_numbers_are_written_as_each_language_does() -> None:
    french, english = Locale("fr", TECHNOVA), Locale("en", TECHNOVA)
    assert (french.number(0.8649), english.number(0.8649)) == ("0,86", "0.86")
    assert (flat(french.count(1470)), english.count(1470)) == ("1 470", "1,470")
    assert (flat(french.percent(0.271)), english.percent(0.271)) == ("27 %", "27%")
    assert (french.count(219.5), french.count(398.5)) == ("220", "399")
    assert (french.number(-0.004), french.number(-3.25, 1)) == ("0,00", "−3,2")
    assert (french.times(2), english.times(0.4), flat(french.times(0.0004))) == ("×2,00", "×0.40", "÷2 500")
    assert flat(french.say("ceci : « cela »", "this")) == "ceci : « cela »"
    assert "\N{NO-BREAK SPACE}:" in french.say("ceci : cela", "this")
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    assert (flat(french.share(interval)), english.share(interval)) == ("50 % [40 ; 60]", "50% [40; 60]")
    assert english.share(interval | {"low": None}) == "50%"
    assert english.points({"value": None, "low": None, "high": None}) == "–"


@pytest.mark.parametrize("doublings", [1, 3, 6, 13, 27])
def test_the_marks_of_a_scale_are_few_and_say_by_how_much(doublings: int) -> None:
    top = panels.DOUBLING * doublings
    marks = panels.ticks((-top, top))
    assert 3 <= len(marks) <= 8
    assert marks[0.0] == "×1"
    assert {(at > 0, text[0]) for at, text in marks.items() if at} == {(True, "×"), (False, "÷")}


def test_what_small_means_is_what_the_audit_means(pages: dict[str, Page]) -> None:
    assert f"“Small”: fewer than {fairness.SMALL} employees;" in pages[PAGES[1]].text
    assert f"“Few left”: fewer than {fairness.FEW_DEPARTURES} departures." in pages[PAGES[1]].text


def audit(
    low: float | None = 0.5, value: float | None = 0.6, high: float | None = 0.7, *, small: bool = False
) -> Facts:
    """Return an audit of women and men, whose ratio is this one."""
    rate = {"value": 0.3, "low": 0.2, "high": 0.4}
    gap = {"value": 0.05, "low": 0.02, "high": 0.08}
    figures = {"selection_rate": rate, "recall": rate, "precision": rate, "calibration_gap": gap}
    women = {"group": "F", "n": 300, "departures": 40, "small": False, **figures}
    women |= {"few_departures": False}
    return {
        "field": "genre",
        "groups": [women, women | {"group": "M", "departures": 60, "small": small}],
        "ratio": {"value": value, "low": low, "high": high},
        "four_fifths": fairness.verdict(fairness.Estimate(value, low, high)),
    }


@pytest.mark.parametrize(
    ("low", "value", "high", "read"),
    [
        (
            0.5,
            0.6,
            0.7,
            "0.60 [0.50; 0.70] times as often as the most flagged. The whole interval is below",
        ),
        (0.5, 0.6, 0.7, "The whole interval is below four fifths (0.80): the rule asks for an explanation"),
        (0.7, 0.78, 0.9, "The interval holds four fifths (0.80): these data cannot settle it"),
        (0.7, 0.85, 0.9, "The interval holds four fifths (0.80): these data cannot settle it"),
        (0.85, 0.9, 0.95, "The whole interval reaches four fifths (0.80): the rule asks for no explanation"),
        (None, None, None, "there is no ratio to read"),
    ],
)
def test_the_four_fifths_ratio_is_read_out(
    low: float | None, value: float | None, high: float | None, read: str
) -> None:
    assert read in four_fifths.reading(audit(low, value, high), Locale("en", TECHNOVA))


def test_small_groups_are_set_apart_by_name() -> None:
    found = audit(None, None, None, small=True)
    assert four_fifths.reading(found, Locale("en", TECHNOVA)) == (
        "Fewer than two groups are large enough to be compared. Set apart, as they are small: Men."
    )
    assert "Laissés de côté, car petits : Hommes." in flat(four_fifths.reading(found, Locale("fr", TECHNOVA)))


def test_a_large_group_that_is_not_treated_right_is_named_and_a_small_one_is_not() -> None:
    overstated = "risk overstated on average (+5.0 [+2.0; +8.0] points, more than chance)"
    to_explain = "To be explained: the group flagged most (Women) is not the one that leaves most (Men)."
    large = " ".join(readings.groups(audit(), Locale("en", TECHNOVA)))
    small = " ".join(readings.groups(audit(small=True), Locale("en", TECHNOVA)))
    assert f"Women: {overstated} Men: {overstated}" in large.replace(". ", " ")
    assert to_explain in large
    assert small == f"Women: {overstated}."
    few = audit()
    few["groups"][1]["few_departures"] = True
    assert " ".join(readings.groups(few, Locale("en", TECHNOVA))) == f"Women: {overstated}."
    fine = audit()
    for group in fine["groups"]:
        group |= {"departures": 60, "calibration_gap": {"value": 0.01, "low": -0.01, "high": 0.03}}
    assert readings.groups(fine, Locale("en", TECHNOVA)) == []


def test_the_price_of_leaving_the_protected_fields_out(facts: Facts) -> None:
    changed = other(facts)
    changed["metrics"]["roc_auc"] = {"mean": 0.86, "sd": 0.035}
    [protected] = [one for one in changed["challengers"] if one["name"] == "with_protected"]
    protected["metrics"]["roc_auc"] = {"mean": 0.863, "sd": 0.03}
    read = readings.price_of_protection(changed, Locale("en", TECHNOVA))
    assert "0.863 instead of 0.860, that is +0.003, less than the spread between folds (± 0.035)" in read
    assert readings.price_of_protection(other(facts, challengers=[]), Locale("en", TECHNOVA)) == ""


def test_the_law_knows_the_fields_of_the_model(facts: Facts, documents: dict[str, str]) -> None:
    english = Locale("en", TECHNOVA)
    for article in ("L1132-1", "L1222-4", "L2312-38", "Annex III, point 4(b)", "26(6)", "26(7)", "Art. 22"):
        assert article in documents["MODEL_CARD.md"]
        assert article in documents["report.en.html"]
    assert notes.excluded(facts, english) in documents["MODEL_CARD.md"]
    assert "grounds of discrimination: Age, Gender, Marital status." in notes.excluded(facts, english)
    assert "--exclude distance_domicile_travail" in notes.excluded(facts, english)
    without = [name for name in facts["fields"] if name != "distance_domicile_travail"]
    left_out = [*facts["left_out"], "distance_domicile_travail"]
    read = notes.excluded(other(facts, fields=without, left_out=left_out), english)
    assert "proxy" not in read
    assert "Left out by choice when training: Distance from home to work." in read


@pytest.fixture(scope="module")
def bare(facts: Facts) -> dict[str, str]:
    """Return the documents of a quick training on data that know little."""
    changed = other(of_few_fields(facts), challengers=[], fairness=[audit(None, 0.9, None, small=True)])
    for group in changed["fairness"][0]["groups"]:
        for figure in ("selection_rate", "recall", "precision", "calibration_gap"):
            group[figure] = {"value": 0.25, "low": None, "high": None}
    changed["fairness"][0]["groups"][1]["precision"]["value"] = None
    for summary in changed["summaries"]:
        if summary["name"] == "nb_formations_suivies":
            summary |= {"unknown": changed["n_rows"], "counts": [], "edges": [], "quartiles": []}
        if summary["name"] == "departement":
            summary |= {"unknown": changed["n_rows"], "counts": [0, 0, 0]}
    level = {"breaks": [0.0], "pieces": [[0.0]]}
    changed["scorecard"]["effects"] |= {
        "nb_formations_suivies": level,
        "distance_domicile_travail": level,
        "departement": {"points": dict.fromkeys(TECHNOVA.by_name["departement"].categories, 0.0)},
    }
    return render(changed, TECHNOVA)


def test_small_groups_are_marked(bare: dict[str, str]) -> None:
    marks = [one for one in Page(bare["report.fr.html"]).all("span") if one.get("class") == "small"]
    assert len(marks) == 1
    assert "| Men *(small)* | 300 | 20% | 25% | 25% | – | +25.0 |" in bare["MODEL_CARD.md"]
    assert "| Women | 300 |" in bare["MODEL_CARD.md"]


def test_what_was_not_asked_for_or_not_known_is_said(bare: dict[str, str]) -> None:
    page = Page(bare["report.fr.html"])
    assert "churn train --challengers" in page.text
    assert "Sans audit, faute de données : Âge, Statut marital." in page.text
    assert not [one for one in page.all("svg") if one["id"] == "chart-challengers"]


def test_fields_that_are_never_known_or_never_vary_have_no_effect(bare: dict[str, str]) -> None:
    page = Page(bare["report.en.html"])
    labels = {one["id"]: one["aria-label"] for one in page.all("svg")}
    for field in ("nb_formations_suivies", "distance_domicile_travail", "departement"):
        assert labels[f"chart-effect-{field}"].endswith("no effect.")
    assert page.text.count("nothing is known") == 2
    assert "never known: no effect" in page.text


@pytest.fixture(scope="module")
def dubious(facts: Facts) -> dict[str, str]:
    """Return the documents of a model that sees a protected field, of people who do not exist."""
    fields = [*facts["fields"], "genre"]
    tag = "churn:<script>alert(1)</script>"
    chance = {"roc_auc": 0.52, "low": 0.45, "high": 0.59, "shown": False}
    left_out = ["age", "statut_marital"]
    changed = other(of_few_fields(facts), sample=True, fields=fields, left_out=left_out, tag=tag)
    return render(changed | {"fairness": [], "signal": chance}, TECHNOVA)


@pytest.mark.parametrize("name", [*PAGES, *CARDS])
def test_warnings_are_loud_and_only_where_they_belong(
    name: str, dubious: dict[str, str], documents: dict[str, str]
) -> None:
    french = ("PAS MIEUX QUE LE HASARD", "DONNÉES FICTIVES", "CHAMPS PROTÉGÉS UTILISÉS")
    english = ("NO BETTER THAN CHANCE", "MADE-UP DATA", "PROTECTED FIELDS IN USE")
    for warning in french if ".fr." in name else english:
        assert warning in dubious[name]
        assert warning not in documents[name]


@pytest.mark.parametrize("name", [*PAGES, *CARDS])
def test_no_better_than_chance_is_the_first_thing_said(name: str, dubious: dict[str, str]) -> None:
    text = flat(Page(dubious[name]).text)
    chance = text.index("PAS MIEUX QUE LE HASARD" if ".fr." in name else "NO BETTER THAN CHANCE")
    assert chance < text.index("FICTIVES" if ".fr." in name else "MADE-UP")
    assert ("0,52 [0,45 ; 0,59]" if ".fr." in name else "0.52 [0.45; 0.59]") in text[chance : chance + 150]


@pytest.mark.parametrize("name", [*PAGES, *CARDS])
def test_limits_and_interval_are_worded_as_by_get_model_and_the_console(
    name: str, dubious: dict[str, str]
) -> None:
    text, locale = flat(Page(dubious[name]).text), Locale("fr" if ".fr." in name else "en", TECHNOVA)
    signal = {"roc_auc": 0.52, "low": 0.45, "high": 0.59}
    for sentence in [*limits.limits(locale), terms.roc_auc(signal, locale)]:
        assert flat(sentence) in text


def test_the_law_names_the_protected_fields_that_are_in_use(dubious: dict[str, str]) -> None:
    assert "CAUTION: this model uses protected fields: Gender." in dubious["MODEL_CARD.md"]
    assert "prohibited grounds of discrimination: Age, Marital status." in dubious["MODEL_CARD.md"]


def test_fairness_that_could_not_be_measured_is_not_passed_over(dubious: dict[str, str]) -> None:
    page = Page(dubious["report.fr.html"])
    assert "L'équité n'a pas pu être mesurée" in page.text
    assert "Sans audit, faute de données : Âge, Genre, Statut marital." in page.text


def test_text_in_the_facts_cannot_become_markup(dubious: dict[str, str]) -> None:
    page = Page(dubious["report.fr.html"])
    assert not page.all("script")
    assert "churn:<script>alert(1)</script>" in page.text


@pytest.mark.parametrize("name", CARDS)
def test_the_front_matter_is_what_the_hub_reads(name: str, facts: Facts, documents: dict[str, str]) -> None:
    start, block, body = documents[name].split("---\n", 2)
    assert start == ""
    assert body.lstrip().startswith("# ")
    front = yaml.safe_load(block)
    assert front["language"] == ["fr", "en"]
    assert front["pipeline_tag"] == "tabular-classification"
    assert front["library_name"] == "sklearn"
    assert "license" not in front
    [entry] = front["model-index"]
    [result] = entry["results"]
    assert set(result) == {"task", "dataset", "metrics"}
    assert {"name", "type"} <= set(result["dataset"])
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values["roc_auc"] == round(facts["metrics"]["roc_auc"]["mean"], 4)
    assert values["brier_score"] == round(facts["metrics"]["brier"]["mean"], 4)


def test_the_tables_of_a_card_are_tables(documents: dict[str, str]) -> None:
    lines = documents["MODEL_CARD.md"].splitlines()
    columns = 0
    for above, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|"):
            if not above.startswith("|"):
                assert above == ""
                columns = line.count("|")
            assert line.count("|") == columns
    assert len([line for line in lines if line.startswith("|---")]) == 2 + 4  # figures, models, audits


def test_the_same_facts_give_the_same_documents(facts: Facts, documents: dict[str, str]) -> None:
    assert render(facts, TECHNOVA) == documents


def test_nobody_is_in_the_documents(sample: Path, documents: dict[str, str]) -> None:
    incomes = extracts.read(sample, TECHNOVA)["revenu_mensuel"]
    ends = {incomes.min(), incomes.max()}
    rare = {f"{income:.0f}" for income in incomes if income > 10_000 and income not in ends}
    assert len(rare) > 20
    for text in documents.values():
        shown = re.sub(r"(?<=\d)[,\s](?=\d{3})", "", Page(text).text)
        assert not rare & set(re.findall(r"\d+", shown))
        assert "employee_id" not in text


@pytest.mark.parametrize("name", ["scorecard", "seed"])
def test_facts_of_another_version_are_refused_with_a_way_out(name: str, facts: Facts) -> None:
    old = other(facts)
    del old[name]
    with pytest.raises(ModelError, match=f"{name}.*train it again"):
        render(old, TECHNOVA)


def test_another_kind_of_model_that_is_clearly_better_is_named(facts: Facts) -> None:
    changed = other(facts)
    for name, mean in (("roc_auc", 0.9), ("average_precision", 0.7)):
        changed["metrics"][name] = {"mean": mean, "sd": 0.01}
        for one in changed["challengers"]:
            one["metrics"][name] = {"mean": mean + 0.009, "sd": 0.01}
    assert readings.ahead(changed, Locale("en", TECHNOVA)) == []
    by_name = {one["name"]: one["metrics"] for one in changed["challengers"]}
    by_name["boosting"]["roc_auc"]["mean"] = 0.925
    by_name["with_protected"]["roc_auc"]["mean"] = 0.95  # no other kind of model
    assert readings.ahead(changed, Locale("en", TECHNOVA)) == [
        "Gradient boosting does clearly better: ROC-AUC +0.025."
    ]
