"""The command line in process; `churn serve` itself is in test_process and test_readme."""

import ast
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import bentoml
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from churn import training
from churn.access.tokens import verify_token
from churn.access.users import list_users, sign_in
from churn.cli.lazy import LazyGroup
from churn.cli.main import COMMANDS, main
from churn.core.errors import ModelError
from churn.database import schema
from churn.database.engine import make_engine
from churn.dictionary.technova import TECHNOVA
from churn.i18n import terms
from churn.i18n.formatting import Locale
from churn.ingest import extracts
from churn.model import promotions, registry
from churn.model.card import describe
from churn.model.listing import listed
from churn.model.registry import ServedModel
from harness.servers import PROJECT, environment, home_beside
from tests.support.plans import train_quickly
from tests.support.real_data import REAL_DATA, needs_real_data


def churn(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=input, catch_exceptions=False)


def stored() -> set[str]:
    """Return the tags of the tests' model store."""
    return {str(model.tag) for model in bentoml.models.list()}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Return an engine on the commands' database, which has no schema yet."""
    url = f"sqlite:///{tmp_path}/churn.db"
    monkeypatch.setenv("DATABASE_URL", url)
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def migrated(database: Engine) -> Engine:
    assert churn("db", "upgrade").exit_code == 0
    return database


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands train with less to choose from: `TestTrain` has them do it as they do."""
    monkeypatch.setattr(training, "train", train_quickly)


@pytest.fixture
def new_models(model: ServedModel) -> Iterator[Callable[[], set[str]]]:
    """Return the tags that the test has added, beside a promoted model; they are deleted afterwards."""
    before, promoted = stored(), promotions.history(registry.home())
    yield lambda: stored() - before
    for tag in stored() - before:
        bentoml.models.delete(tag)
    while promotions.history(registry.home()) != promoted:
        promotions.rollback(registry.home())


@pytest.mark.parametrize(
    "command",
    [
        *([name] for name in COMMANDS),
        ["user", "add"],
        *(["user", word] for word in ("list", "password", "role", "disable", "enable")),
        *(["token", word] for word in ("issue", "list", "revoke")),
        ["db", "upgrade"],
        ["db", "check"],
        *(["model", word] for word in ("list", "show", "current", "compare", "promote", "rollback")),
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    result = churn(*command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4


def test_train_export_is_the_train_command() -> None:
    command = [sys.executable, "train_export.py", "--help"]
    output = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    assert output.startswith("Usage: train_export.py train [OPTIONS]")
    for option in ("--data", "--threshold-metric", "--folds", "--repeats", "--seed"):
        assert option in output


def test_the_group_lists_its_commands() -> None:
    output = churn("--help").output
    assert all(re.search(rf"^  {name} +\w", output, re.MULTILINE) for name in COMMANDS)


def test_a_list_says_in_a_line_what_each_command_is_for() -> None:
    for group in ([], *([name] for name, one in COMMANDS.items() if isinstance(one, LazyGroup))):
        [listed] = re.findall(r"^Commands:\n((?:  .*\n)+)\Z", churn(*group, "--help").output, re.MULTILINE)
        assert all(re.fullmatch(r"  [a-z]+ +[A-Z].*\.", line) for line in listed.splitlines()), listed


SLOW = {"alembic", "bentoml", "matplotlib", "numpy", "pandas", "pydantic", "scipy", "sklearn", "sqlalchemy"}


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (["--help"], ()),
        *(([name, "--help"], ()) for name, one in COMMANDS.items() if isinstance(one, LazyGroup)),
        (["model", "list"], ("bentoml",)),  # its frame, and not its store
        (["token", "list"], ("pydantic", "sqlalchemy")),
    ],
    ids=" ".join,
)
def test_what_lists_waits_for_no_library_that_it_does_without(
    command: list[str], needed: tuple[str, ...], model: ServedModel, sqlite_at_head: Path
) -> None:
    script = "import sys\nfrom churn.cli.main import main\nmain(sys.argv[1:], standalone_mode=False)\n"
    script += "print({name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    env = environment(DATABASE_URL=f"sqlite:///{sqlite_at_head}")
    ran = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=PROJECT, env=env, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert SLOW & set(ast.literal_eval(ran.stderr)) <= set(needed)


def test_an_unknown_command_is_named() -> None:
    result = churn("fly")
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


class TestDatabase:
    def test_check_says_what_mends_a_database_without_schema(self, database: Engine) -> None:
        result = churn("db", "check")
        assert result.exit_code == 1
        assert re.fullmatch(
            r"churn: the database sqlite:.* has no schema yet: run `churn db upgrade`\n", result.output
        )

    def test_upgrade_then_check(self, database: Engine) -> None:
        for word in ("upgrade", "check"):
            result = churn("db", word)
            assert result.exit_code == 0
            assert f"is at revision {schema.head()} (head)" in result.output

    def test_an_unreachable_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgres://churn:s3cret-word@127.0.0.1:1/churn")
        result = churn("db", "upgrade")
        assert result.exit_code == 1
        assert "start it or correct DATABASE_URL" in result.output
        assert "s3cret-word" not in result.output


class TestUser:
    def test_the_password_is_asked_for_twice_and_not_shown(self, migrated: Engine) -> None:
        result = churn("user", "add", "marie", input="correct horse\ncorrect horse\n")
        assert result.exit_code == 0
        assert "correct horse" not in result.output
        assert sign_in(migrated, "marie", "correct horse").is_good

    def test_the_password_may_come_from_a_file_or_standard_input(
        self, migrated: Engine, tmp_path: Path
    ) -> None:
        (tmp_path / "password").write_text("correct horse\n", encoding="utf-8")
        added = churn("user", "add", "marie", "--password-file", str(tmp_path / "password"))
        assert added.output == "user marie added: analyst\n"
        assert sign_in(migrated, "marie", "correct horse").is_good
        changed = churn("user", "password", "marie", "--password-file", "-", input="another horse\n")
        assert changed.exit_code == 0
        assert sign_in(migrated, "marie", "another horse").is_good

    def test_a_file_that_is_no_text_is_refused(self, migrated: Engine, tmp_path: Path) -> None:
        (tmp_path / "password").write_bytes(b"correct horse\xff")
        refused = churn("user", "add", "marie", "--password-file", str(tmp_path / "password"))
        assert (refused.exit_code, "no text in UTF-8" in refused.output) == (1, True)

    def test_nobody_gets_the_environments_password(
        self, migrated: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_PASSWORD", "correct horse")
        unanswered = churn("user", "add", "marie")
        assert (unanswered.exit_code, "give it by --password-file" in unanswered.output) == (1, True)
        assert not sign_in(migrated, "marie", "correct horse").is_good

    def test_the_password_is_no_argument(self, migrated: Engine) -> None:
        assert churn("user", "add", "marie", "correct horse").exit_code == 2
        assert churn("user", "add", "marie", "--password", "correct horse").exit_code == 2

    def test_a_weak_password_and_a_taken_name_are_refused(self, migrated: Engine) -> None:
        weak = churn("user", "add", "marie", input="1234\n1234\n")
        assert (weak.exit_code, "too short" in weak.output) == (1, True)
        churn("user", "add", "marie", input="correct horse\ncorrect horse\n")
        taken = churn("user", "add", "marie", input="correct horse\ncorrect horse\n")
        assert (taken.exit_code, "there is already a user 'marie'" in taken.output) == (1, True)

    def test_a_user_is_changed_disabled_and_enabled(self, migrated: Engine) -> None:
        churn("user", "add", "marie", "--role", "auditor", input="correct horse\ncorrect horse\n")
        assert churn("user", "password", "marie", input="another horse\nanother horse\n").exit_code == 0
        assert sign_in(migrated, "marie", "another horse").is_good
        assert churn("user", "role", "marie", "operator").output == "user marie is operator now\n"
        assert churn("user", "disable", "marie").exit_code == 0
        assert re.search(r"marie .* operator .* disabled", churn("user", "list").output)
        assert churn("user", "enable", "marie").exit_code == 0
        assert [(one.role, one.is_active) for one in list_users(migrated)] == [("operator", True)]

    def test_who_is_not_there_cannot_be_changed(self, migrated: Engine) -> None:
        for words in (["disable", "paul"], ["enable", "paul"], ["role", "paul", "admin"]):
            result = churn("user", *words)
            assert (result.exit_code, "there is no user 'paul'" in result.output) == (1, True)

    def test_without_a_schema_nothing_is_asked(self, database: Engine) -> None:
        result = churn("user", "add", "marie")
        assert result.exit_code == 1
        assert "run `churn db upgrade`" in result.output


class TestToken:
    def test_only_the_secret_is_on_standard_output(self, migrated: Engine) -> None:
        result = churn("token", "issue", "payroll", "--scopes", "predict,metrics", "--expires", "30d")
        assert result.exit_code == 0
        found = verify_token(migrated, result.stdout.strip())
        assert found is not None
        assert (found.name, set(found.scopes)) == ("payroll", {"predict", "metrics"})
        assert result.stderr == "token payroll, shown this once:\n"

    def test_an_unknown_scope_is_refused(self, migrated: Engine) -> None:
        result = churn("token", "issue", "payroll", "--scopes", "predict,root")
        assert (result.exit_code, "'root' is none of predict, history" in result.output) == (2, True)
        assert churn("token", "issue", "payroll", "--expires", "soon").exit_code == 2

    @pytest.mark.parametrize("name", ["\udcff", "a\nb"])
    @pytest.mark.parametrize(
        "words", [("token", "issue"), ("token", "revoke"), ("user", "disable")], ids=" ".join
    )
    def test_a_name_that_nobody_can_have(self, migrated: Engine, words: tuple[str, ...], name: str) -> None:
        result = churn(*words, name)
        assert (result.exit_code, result.output) == (1, "churn: a name has printable characters only\n")

    def test_a_token_is_listed_and_revoked(self, migrated: Engine) -> None:
        secret = churn("token", "issue", "payroll", "--expires", "90d").stdout.strip()
        assert re.search(r"payroll .* active .* never", churn("token", "list").output)
        assert churn("token", "revoke", "payroll").output == "token payroll is revoked\n"
        assert verify_token(migrated, secret) is None
        assert re.search(r"payroll .* revoked", churn("token", "list").output)
        again = churn("token", "revoke", "payroll")
        assert (again.exit_code, "`churn token list` has them all" in again.output) == (1, True)


class TestTrain:
    def test_on_extracts(self, new_models: Callable[[], set[str]], sample: Path) -> None:
        plan = ("--folds", "3", "--repeats", "1", "--resamples", "2", "--seed", "7")
        result = churn("train", "--data", str(sample), *plan, "--threshold-metric", "f1")
        assert result.exit_code == 0
        assert re.search(
            r"^600 employees, \d+ departures, 24 fields; left out: age", result.output, re.MULTILINE
        )
        assert "8/8" in result.output  # the progress bar
        assert re.search(r"ROC-AUC .*0\.\d{4}", result.output)
        [tag] = new_models()
        assert f"exported as {tag}" in result.output
        assert "still serves; to change that: churn model promote" in result.output
        metadata = registry.load(tag, TECHNOVA).report
        assert (metadata["seed"], metadata["threshold"]["policy"]) == (7, "f1")
        assert metadata["data_fingerprint"] == extracts.fingerprint(sample, TECHNOVA)
        assert set(metadata["library_versions"]) >= {"scikit-learn", "scipy", "numpy", "pandas", "bentoml"}
        assert set(metadata["metrics"]["roc_auc"]) == {"mean", "sd"}
        assert None not in metadata["fairness"][0]["groups"][0]["recall"].values()

    def test_problems_are_listed_without_a_traceback_and_nothing_is_exported(
        self, new_models: Callable[[], set[str]], sample: Path, tmp_path: Path
    ) -> None:
        bad = shutil.copytree(sample, tmp_path / "bad")
        lines = (bad / "extrait_sirh.csv").read_text(encoding="utf-8").splitlines()
        cells = lines[3].split(",")
        lines[3] = ",".join([cells[0], "17", *cells[2:]])
        (bad / "extrait_sirh.csv").write_text("\n".join(lines), encoding="utf-8")
        (bad / "extrait_eval.csv").unlink()
        result = churn("train", "--data", str(bad))
        assert result.exit_code == 1
        assert result.stderr.startswith("churn: 2 problems in the data:\n")
        assert "extrait_sirh.csv:4: age = '17'" in result.output
        assert "extrait_eval" in result.output
        assert new_models() == set()

    def test_too_few_employees(
        self, new_models: Callable[[], set[str]], sample: Path, tmp_path: Path
    ) -> None:
        result = churn("train", "--data", str(first_rows(sample, 30, tmp_path / "few")))
        assert (result.exit_code, "only 30 employees: expected at least 50" in result.output) == (1, True)
        assert new_models() == set()

    @needs_real_data
    def test_meets_the_bars_on_real_extracts_without_protected_fields_and_prints_them(
        self, new_models: Callable[[], set[str]]
    ) -> None:
        result = churn("train", "--data", str(REAL_DATA), "--resamples", "0")
        assert "1470 employees, 237 departures, 24 fields" in result.output
        [tag] = new_models()
        report = registry.load(tag, TECHNOVA).report
        assert (report["folds"], report["repeats"]) == (5, 4)
        assert not {field.name for field in TECHNOVA.protected} & set(report["fields"])
        means = {name: spread["mean"] for name, spread in report["metrics"].items()}
        # More than 0.87 is presumed a leak.
        assert 0.855 <= means["roc_auc"] <= 0.87
        assert means["average_precision"] >= 0.68
        assert means["brier"] <= 0.087
        assert means["calibration_error"] <= 0.03
        assert means["roc_auc_core_only"] >= 0.795
        assert means["f2"] >= 0.60
        for title, name in (
            ("ROC-AUC", "roc_auc"),
            ("Average precision", "average_precision"),
            ("Brier score", "brier"),
        ):
            first, *_ = re.findall(rf"{title}[^0-9]*(0\.\d{{4}})", result.output)
            assert float(first) == round(means[name], 4)


@pytest.mark.usefixtures("quickly")
class TestTrainOptions:
    QUICK = ("--folds", "2", "--repeats", "1", "--resamples", "0")

    def report(self, new_models: Callable[[], set[str]], sample: Path, *options: str) -> Mapping[str, Any]:
        result = churn("train", "--data", str(sample), *self.QUICK, *options)
        assert result.exit_code == 0, result.output
        [tag] = new_models()
        return registry.load(tag, TECHNOVA).report

    def test_fields_are_left_out_or_let_in_as_asked(
        self, new_models: Callable[[], set[str]], sample: Path
    ) -> None:
        left_out = ("--exclude", "PEE", "--exclude", "distance_domicile_travail")
        report = self.report(new_models, sample, "--with-protected", "--capacity", "60", *left_out)
        assert {"age", "genre", "statut_marital"} <= set(report["fields"])
        assert report["left_out"] == ["nombre_participation_pee", "distance_domicile_travail"]
        assert report["threshold"]["policy"] == report["choices"][0]["policy"] == "capacity:60"

    def test_costs_choose_the_threshold_and_documents_are_written(
        self, new_models: Callable[[], set[str]], sample: Path, tmp_path: Path
    ) -> None:
        options = ("--cost-miss", "4", "--promote", "--out", str(tmp_path / "out"))
        report = self.report(new_models, sample, *options)
        assert report["threshold"] == {"value": 0.2, "policy": "cost:4:1"}
        assert report["fairness"][0]["groups"][0]["recall"]["low"] is None
        assert (tmp_path / "out" / "MODEL_CARD.md").exists()
        assert {promotions.promoted(registry.home())} == new_models()

    def test_a_threshold_that_flags_nobody(self, new_models: Callable[[], set[str]], sample: Path) -> None:
        report = self.report(new_models, sample, "--cost-miss", "1", "--cost-alarm", "1000")
        assert report["choices"][0]["flagged"] == 0
        assert {audit["four_fifths"] for audit in report["fairness"]} == {"cannot_tell"}
        card = Path(registry.find(report["tag"]).path_of("MODEL_CARD.md"))
        assert "Nobody is flagged: there is no ratio to read." in card.read_text("utf-8")

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--exclude", "signe"), "--exclude 'signe': no such field; expected one of revenu_mensuel, "),
            (("--capacity", "601"), "a capacity of 601: expected from 1 to the 600 employees"),
            (("--cost-miss", "0"), "costs of 0 and 1: expected numbers above 0"),
            (("--cost-miss", "2", "--capacity", "3"), "a capacity and costs cannot both"),
        ],
    )
    def test_what_cannot_be_asked_for(
        self, options: tuple[str, ...], says: str, new_models: Callable[[], set[str]], sample: Path
    ) -> None:
        result = churn("train", "--data", str(sample), *options)
        assert (result.exit_code, says in result.output) == (1, True)
        assert new_models() == set()


@pytest.mark.usefixtures("quickly")
class TestNoSignal:
    """Who leaves is drawn by lot here: nothing can be learned."""

    @pytest.fixture
    def lots(self, sample: Path, tmp_path: Path) -> Path:
        lots = shutil.copytree(sample, tmp_path / "lots")
        path = lots / "extrait_sondage.csv"
        header, *rows = (line.split(",") for line in path.read_text(encoding="utf-8").splitlines())
        place = header.index(TECHNOVA.target.name)
        drawn = random.Random(1).sample([row[place] for row in rows], len(rows))
        lines = [[*row[:place], lot, *row[place + 1 :]] for row, lot in zip(rows, drawn, strict=True)]
        path.write_text("\n".join(",".join(line) for line in [header, *lines]), encoding="utf-8")
        return lots

    def test_serves_only_where_somebody_insists(
        self, new_models: Callable[[], set[str]], migrated: Engine, model: ServedModel, lots: Path
    ) -> None:
        result = churn("setup", "--data", str(lots))
        [tag] = new_models()
        refusal = f"churn: model {tag} is no better than chance: its data do not show who leaves (ROC-AUC 0."
        assert (result.exit_code, refusal in result.output) == (1, True)
        assert result.output.startswith("NO BETTER THAN CHANCE") or "\nNO BETTER THAN CHANCE" in result.output
        assert promotions.promoted(registry.home()) == model.tag
        result = churn("model", "promote", tag)
        assert (result.exit_code, result.output.startswith(refusal)) == (1, True)
        way_out = f"churn model promote {tag} --force (in a container: CHURN_MODEL={tag})\n"
        assert f"to serve it all the same: {way_out}" in result.output
        assert churn("model", "promote", tag, "--force").exit_code == 0
        assert promotions.promoted(registry.home()) == tag
        assert churn("model", "show").output.splitlines()[1].startswith("NO BETTER THAN CHANCE")
        limits = describe(registry.load(tag, TECHNOVA), "fr").limits
        assert limits[0].startswith("Pas mieux que le hasard : ")
        signal = registry.load(tag, TECHNOVA).report["signal"]
        french, english = (terms.roc_auc(signal, Locale(one, space=" ")) for one in ("fr", "en"))
        assert (french in limits[0], english in result.output) == (True, True)
        assert "Better than chance" in churn("model", "show", model.tag).output


@pytest.mark.usefixtures("quickly")
class TestModel:
    def test_list_marks_the_one_that_serves(self, model: ServedModel, damaged: str) -> None:
        lines = churn("model", "list").output.splitlines()
        [row] = [line for line in lines if model.tag in line]
        assert "yes" in row
        [other] = [line for line in lines if damaged in line]
        assert "yes" not in other.split()
        assert "?" in other  # it says nothing of its figures

    def test_list_reads_off_files_what_bentoml_knows(self, model: ServedModel, damaged: str) -> None:
        known = [(str(one.tag), one.info.creation_time, one.info.metadata) for one in registry.models()]
        assert [(one.tag, one.created, one.facts) for one in listed(registry.home())] == known
        assert {model.tag, damaged} <= {tag for tag, _, _ in known}

    def test_list_names_an_entry_that_is_damaged(self, tmp_path: Path) -> None:
        entry = tmp_path / "models" / "churn" / "half" / "model.yaml"
        entry.parent.mkdir(parents=True)
        for text in ("name: churn\n", "- [", "", "name: churn\nversion: half\ncreation_time: x\n"):
            entry.write_text(text, encoding="utf-8")
            with pytest.raises(ModelError, match=r"half/model\.yaml is damaged: remove its folder, then run"):
                listed(tmp_path)

    def test_show_tells_figures_and_self_test_and_writes_the_documents(
        self, model: ServedModel, damaged: str, tmp_path: Path
    ) -> None:
        output = churn("model", "show", "--out", str(tmp_path)).output
        assert model.tag in output
        assert "self-test: passed" in output
        assert f"{model.report['metrics']['roc_auc']['mean']:.4f}" in output
        names = {"report.fr.html", "report.en.html", "MODEL_CARD.md", "MODEL_CARD.fr.md"}
        assert {path.name for path in tmp_path.iterdir()} == names
        assert all(model.tag in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
        assert "golden rows are not reproduced" in churn("model", "show", damaged).output

    def test_current_is_the_tag_and_nothing_else(
        self, model: ServedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert churn("model", "current").output == f"{model.tag}\n"
        monkeypatch.setenv("CHURN_MODEL", "churn:nothing")
        assert "no model 'churn:nothing'" in churn("model", "current").output

    def test_promote_roll_back_and_compare(
        self, model: ServedModel, new_models: Callable[[], set[str]], sample: Path
    ) -> None:
        churn("train", "--data", str(sample), *TestTrainOptions.QUICK, "--exclude", "heures_supp")
        [tag] = new_models()
        assert churn("model", "current").output == f"{model.tag}\n"
        assert churn("model", "promote", tag).output == f"{tag} serves from the next start on\n"
        assert churn("model", "current").output == f"{tag}\n"
        assert churn("model", "rollback").output.startswith(f"{model.tag} serves again")
        assert churn("model", "current").output == f"{model.tag}\n"
        output = churn("model", "compare", model.tag, tag, "--data", str(sample)).output
        assert "600 employees" in output
        [line] = [line for line in output.splitlines() if "ROC-AUC" in line]
        first, second, difference = (float(x) for x in re.findall(r"[-+]?\d\.\d{4}", line)[:3])
        assert second < first
        assert difference == pytest.approx(second - first, abs=2e-4)
        assert "more than chance" in line

    def test_a_model_that_fails_its_self_test_is_not_promoted(self, model: ServedModel, damaged: str) -> None:
        result = churn("model", "promote", damaged)
        assert result.exit_code == 1
        assert "failed its self-test" in result.output
        assert churn("model", "current").output == f"{model.tag}\n"


def first_rows(directory: Path, rows: int, copy: Path) -> Path:
    """Return a copy of some extracts that has only their first rows."""
    shutil.copytree(directory, copy)
    for path in copy.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[: rows + 1]), encoding="utf-8")
    return copy


class TestSetup:
    """In a process of its own: BentoML keeps to the store that a process used first."""

    # The command with `train_quickly`; `test_readme` has it train as it does.
    QUICKLY = (
        "from churn import training; from churn.cli.main import main; from tests.support import plans; "
        "training.train = plans.train_quickly; main()"
    )

    def setup_in(self, folder: Path, *arguments: str, by: Sequence[str] = ("-m", "churn.cli.main")) -> str:
        env = environment(BENTOML_HOME=str(folder), PYTHONPATH=str(PROJECT))
        command = [sys.executable, *by, "setup", *arguments]
        return subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True, text=True).stdout

    def test_trains_on_other_data_makes_what_is_missing_and_keeps_what_is_there(
        self, model: ServedModel, sample: Path, tmp_path: Path
    ) -> None:
        home = home_beside(registry.home(), tmp_path)
        other = first_rows(sample, 400, tmp_path / "other")
        first = self.setup_in(home, "--data", str(other), by=("-c", self.QUICKLY))
        assert "400 employees" in first
        assert "exported as churn:" in first
        engine = make_engine(f"sqlite:///{home}/churn.db")
        [secret] = re.findall(r"^First token, shown this once: +(\S+)$", first, re.MULTILINE)
        [password] = re.findall(r"^First user, shown this once: +admin / (\S+)$", first, re.MULTILINE)
        assert verify_token(engine, secret) is not None
        assert sign_in(engine, "admin", password).is_good
        engine.dispose()
        assert json.loads(re.findall(r"-d '(.*)'", first)[0])["heure_supplementaires"] == "Oui"
        assert self.setup_in(home) == self.setup_in(home, "--data", str(other)) == ""

    def test_a_model_that_was_named_is_not_replaced_by_another(
        self, database: Engine, model: ServedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = stored()
        monkeypatch.setenv("CHURN_MODEL", "churn:typo")
        result = churn("setup")
        assert (result.exit_code, "no model 'churn:typo' in the store" in result.output) == (1, True)
        assert stored() == before

    def test_the_environment_chooses_the_identities_and_nothing_secret_is_printed(
        self, model: ServedModel, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        identity = {"API_USERNAME": "marie", "API_PASSWORD": "correct horse", "API_TOKEN": "mK4pVt7yQ2xNc9Rb"}
        for name, value in identity.items():
            monkeypatch.setenv(name, value)
        assert churn("setup").output == ""
        assert sign_in(database, "marie", "correct horse").is_good
        assert verify_token(database, identity["API_TOKEN"]) is not None
