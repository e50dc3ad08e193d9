"""Training again from the journal: what is learned from, who is held out, and that a person decides."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from churn.cli.main import main
from churn.dictionary.technova import TECHNOVA
from churn.model import promotions, registry
from churn.model.registry import ServedModel
from churn.model.stored_reference import load_reference
from churn.records.labelled_inputs import is_held_out
from tests.support.past import days_ago, predicted
from tests.support.year import TODAY, Year, written, year

Command = Callable[..., Result]
PEOPLE, LONG_AGO = 500, 400
QUICK = ("--folds", 2, "--repeats", 1, "--resamples", 0)


@pytest.fixture
def command(engine: Engine, model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Run commands on the database, with a model that is as old as its predictions."""
    report = Path(registry.find(model.tag).path_of("/")) / registry.REPORT
    before = report.read_text(encoding="utf-8")
    long_ago = (days_ago(LONG_AGO) - timedelta(days=30)).isoformat()
    report.write_text(json.dumps({**json.loads(before), "created_at": long_ago}), encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    known = {str(entry.tag) for entry in registry.models()}

    def run(*arguments: object, answer: str = "") -> Result:
        return CliRunner().invoke(main, list(map(str, arguments)), input=answer)

    yield run
    report.write_text(before, encoding="utf-8")
    for entry in registry.models():
        if str(entry.tag) not in known:
            registry.delete(str(entry.tag))
    promotions.promote(registry.home(), model.tag)


@pytest.fixture
def people(engine: Engine, model: ServedModel, command: Command, tmp_path: Path) -> Year:
    """Have predictions of long ago, later ones about the same people, and what has become of them."""
    people = year(PEOPLE, 18)
    predicted(engine, model, people.records, days_ago(LONG_AGO))
    predicted(engine, model, people.records[:50], days_ago(LONG_AGO - 20))
    file = written(tmp_path, people.outcomes(LONG_AGO))
    assert command("outcomes", file, "--known-until", TODAY).exit_code == 0
    return people


def trained(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return re.search(r"exported as (\S+)", done.output)[1]  # type: ignore[index]


def learned(people: Year, share: float = 0.2) -> list[bool]:
    return [
        left
        for record, left in zip(people.records, people.left, strict=True)
        if not is_held_out(str(record["employee_id"]), share)
    ]


def test_a_model_learns_from_the_journal_and_a_person_promotes_it(
    model: ServedModel, command: Command, people: Year
) -> None:
    done = command("train", "--from-journal", *QUICK)
    tag = trained(done)
    left = learned(people)
    said = " ".join(done.output.split())
    assert f"note: {len(left)} employees first predicted about from {days_ago(LONG_AGO):%Y-%m-%d}" in said
    assert f"{sum(left)} of whom left within 365 days; 0 more are not known for so long yet" in said
    assert f"{PEOPLE - len(left)} employees, {sum(people.left) - sum(left)} departures" in said
    assert f"A is {model.tag}, B is {tag}" in said
    assert f"{model.tag} still serves; to change that: churn model promote {tag}" in said

    report = registry.load(tag, TECHNOVA).report
    assert (report["n_rows"], report["n_departures"]) == (len(left), sum(left))
    assert report["journal"] == {
        "horizon_days": 365,
        "held_out": 0.2,
        "from": f"{days_ago(LONG_AGO):%Y-%m-%d}",
        "until": f"{days_ago(LONG_AGO):%Y-%m-%d}",
    }
    reference = load_reference(tag)
    assert reference is not None
    assert reference.horizon_days == 365

    refused = command("model", "promote", tag, answer="n\n")
    assert (refused.exit_code, promotions.promoted(registry.home())) == (1, model.tag)
    assert "ROC-AUC" in refused.output
    assert "Promote it?" in refused.output
    assert command("model", "promote", tag, answer="y\n").exit_code == 0
    assert promotions.promoted(registry.home()) == tag


def test_what_it_learns_is_what_files_of_the_same_people_say(
    engine: Engine, model: ServedModel, command: Command, people: Year, tmp_path: Path
) -> None:
    tag = trained(command("train", "--from-journal", "--hold-out", 0, *QUICK))
    gone = (TECHNOVA.left if left else "Non" for left in people.left)
    rows = [{**r, TECHNOVA.target.name: g} for r, g in zip(people.records, gone, strict=True)]
    order = sorted(rows, key=lambda row: str(row["employee_id"]))
    file = trained(command("train", "--data", written(tmp_path, order), *QUICK))
    cards = [registry.load(one, TECHNOVA).scorecard.to_dict() for one in (tag, file)]
    assert cards[0] == cards[1]


def test_people_who_are_held_out_of_one_model_are_held_out_of_the_next(
    model: ServedModel, command: Command, people: Year
) -> None:
    first = trained(command("train", "--from-journal", "--hold-out", 0.2, *QUICK))
    second = trained(command("train", "--from-journal", "--hold-out", 0.4, *QUICK))
    done = command("model", "compare", first, second, "--from-journal")
    assert f"{PEOPLE - len(learned(people))} employees" in done.output


def test_without_people_whom_neither_knows_nothing_is_compared(
    model: ServedModel, command: Command, people: Year
) -> None:
    done = command("train", "--from-journal", "--hold-out", 0, *QUICK)
    tag = trained(done)
    assert "from whom neither model has learned" in " ".join(done.output.split())
    promoted = command("model", "promote", tag, "--yes")
    assert "not compared: " in promoted.output
    assert (promoted.exit_code, promotions.promoted(registry.home())) == (0, tag)


def test_who_is_not_known_for_so_long_is_not_learned_from(
    engine: Engine, model: ServedModel, command: Command, people: Year, tmp_path: Path
) -> None:
    late = year(40, 19, first=9000)
    predicted(engine, model, late.records, days_ago(100))
    command("outcomes", written(tmp_path, late.outcomes(100, 9000)), "--known-until", TODAY)
    said = " ".join(command("train", "--from-journal", "--hold-out", 0, *QUICK).output.split())
    assert f"note: {PEOPLE} employees" in said
    assert "40 more are not known for so long yet" in said
    since = " ".join(
        command("train", "--from-journal", "--since", f"{days_ago(200):%Y-%m-%d}", *QUICK).output.split()
    )
    assert re.search(r"the journal has 0 employees who left within 365 days .* since .* 20 leavers", since)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--from-journal", "--promote"), "--from-journal goes with neither --data nor --promote"),
        (("--from-journal", "--data", "."), "--from-journal goes with neither --data nor --promote"),
        (("--horizon", "90"), "are of the journal: add --from-journal"),
        (("--from-journal", "--hold-out", "0.9"), "0.9 is not in the range"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    command: Command, options: tuple[str, ...], says: str
) -> None:
    done = command("train", *options)
    assert (done.exit_code, says in done.output) == (2, True)


def test_without_outcomes_it_says_what_to_do(engine: Engine, model: ServedModel, command: Command) -> None:
    predicted(engine, model, year(30, 1).records, days_ago(LONG_AGO))
    done = command("train", "--from-journal")
    assert done.exit_code == 1
    assert "expected 20 leavers. Record who has left and who is still here" in " ".join(done.output.split())
