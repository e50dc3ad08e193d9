"""`churn dictionary draft`: a first dictionary from a company's files, and what it keeps out of the model."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import bentoml
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from churn import training
from churn.cli.main import main
from churn.dictionary import dictionary_file
from churn.dictionary.dictionary import Dictionary
from churn.model import registry
from churn.model.registry import ServedModel
from tests.support.plans import train_quickly

ROWS = 240
QUICKLY = ("--folds", "2", "--repeats", "1", "--resamples", "0")


@pytest.fixture(autouse=True)
def store_as_it_was(model: ServedModel) -> Iterator[None]:
    """Take away what a test has trained."""
    before = {entry.tag for entry in registry.models()}
    yield
    for tag in {entry.tag for entry in registry.models()} - before:
        bentoml.models.delete(tag)


def churn(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


def company(rows: int = ROWS) -> pd.DataFrame:
    """Return a table as a company has it, with names, notes, and what was known afterwards."""
    rng = np.random.default_rng(5)
    nights = rng.random(rows) < 0.4
    left = rng.random(rows) < np.where(nights, 0.45, 0.12)
    hired = [date(2015, 1, 1) + timedelta(days=int(days)) for days in rng.integers(0, 3500, rows)]
    gone = [day + timedelta(days=400) for day in hired]
    team = rng.choice(["Pont", "Machine", "Cuisine"], rows, p=[0.5, 0.35, 0.15])
    return pd.DataFrame(
        {
            "Badge n°": rng.permutation(np.arange(1000, 1000 + rows)),
            "Nom": [f"Personne {number}" for number in range(rows)],
            "Sexe": rng.choice(["F", "H"], rows),
            "Date de naissance": [f"{day:%d/%m}/{1960 + place % 40}" for place, day in enumerate(hired)],
            "Salaire": [f"{pay // 1000} {pay % 1000:03d},50 €" for pay in rng.integers(1500, 9000, rows)],
            "Équipe": team,
            "Embauche": [f"{day:%d/%m/%Y}" for day in hired],
            "Travail de nuit": np.where(nights, "oui", "non"),
            "Prime": [f"{bonus} %" for bonus in rng.integers(0, 12, rows)],
            "Pays": "FR",
            "Commentaire": [f"entretien {number} du {number % 28 + 1}" for number in range(rows)],
            "Date de sortie": [f"{day:%d/%m/%Y}" if has else "" for day, has in zip(gone, left, strict=True)],
            "Solde de tout compte": np.where(left, rng.choice(["versé", "en cours"], rows), ""),
            "Badge rendu": np.where(left, "rendu", "gardé"),
            "A quitté": np.where(left, "oui", "non"),
        }
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company") / "effectif.csv"
    company().to_csv(path, index=False, sep=";", encoding="cp1252")
    return path


@pytest.fixture(scope="module")
def drafted(file: Path) -> tuple[Path, Result]:
    output = file.parent / "maison.toml"
    return output, churn("dictionary", "draft", file, "-o", output)


@pytest.fixture(scope="module")
def dictionary(drafted: tuple[Path, Result]) -> Dictionary:
    return dictionary_file.read(drafted[0])


def test_it_is_sound_and_says_what_comes_next(drafted: tuple[Path, Result], file: Path) -> None:
    output, result = drafted
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"{file.name}: semicolons, decimal commas, Windows-1252, {ROWS} rows\n")
    assert f"churn train --data {file} --dictionary {output}\n" in result.output
    assert churn("dictionary", "check", output).exit_code == 0
    assert max(map(len, result.output.splitlines()[1:-3])) <= 80


def test_each_column_has_its_kind(dictionary: Dictionary) -> None:
    kinds = {field.labels[1]: (field.kind, field.unit) for field in dictionary.features}
    assert kinds == {
        "Salaire": ("number", "€"),
        "Équipe": ("category", ""),
        "Embauche": ("date", "ans"),
        "Travail de nuit": ("category", ""),
        "Prime": ("percent", "%"),
    }
    assert dictionary.by_name["Embauche"].date_format == "%d/%m/%Y"
    assert dictionary.by_name["equipe"].categories == ("Pont", "Machine", "Cuisine")
    assert dictionary.identifier.aliases == ("Badge n°",)
    assert (dictionary.target.labels[1], dictionary.left) == ("A quitté", "Yes")


def test_what_the_law_forbids_stays_out_with_the_laws_name(
    dictionary: Dictionary, drafted: tuple[Path, Result]
) -> None:
    assert [field.name for field in dictionary.protected] == ["Sexe"]
    assert dictionary.audited == ("Sexe",)
    text = drafted[0].read_text(encoding="utf-8")
    assert re.search(
        r"\[fields\.Sexe\]\n# 2 values: .*\n# may tell of sex \(Code du travail, art. L1132-1; ", text
    )
    assert re.search(r"\[fields\.date_de_naissance\]\n.*\n# may tell of age .*\n.*\nrole = \"ignored\"", text)


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("Nom", "names people"),
        ("Pays", "the same in every row"),
        ("Commentaire", "free text"),
        ("date_de_sortie", "a date of leaving is known of leavers alone"),
        ("solde_de_tout_compte", "only leavers, or only those who stayed, have a value"),
        ("badge_rendu", "alone it tells who left with a ROC-AUC of 1.00"),
    ],
)
def test_what_tells_nothing_or_too_much_is_left_out(
    field: str, why: str, drafted: tuple[Path, Result]
) -> None:
    text = drafted[0].read_text(encoding="utf-8")
    [table] = re.findall(rf"\[fields\.{field}\]\n((?:.+\n)+)", text)
    assert why in " ".join(table.replace("\n# ", " ").split())
    assert table.endswith('role = "ignored"\n')


def test_no_single_persons_value_is_printed_or_written(drafted: tuple[Path, Result]) -> None:
    output, result = drafted
    for text in (result.output, output.read_text(encoding="utf-8")):
        assert not re.search(r"Personne \d|entretien \d|,50 €", text)


def test_one_trains_with_it(
    drafted: tuple[Path, Result], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "train", train_quickly)
    trained = churn("train", "--data", file, "--dictionary", drafted[0], *QUICKLY)
    assert trained.exit_code == 0, trained.output
    assert "exported as churn:" in trained.output


class TestSeveralFiles:
    @pytest.fixture
    def files(self, tmp_path: Path) -> list[Path]:
        table = company()
        people = table[["Badge n°", "Sexe", "Équipe"]]
        survey = table[["Travail de nuit", "Prime", "A quitté"]].assign(
            code=[f"P-{number:06d}" for number in table["Badge n°"]]
        )
        people.to_excel(tmp_path / "personnel.xlsx", index=False)
        survey.sample(frac=1, random_state=2).to_parquet(tmp_path / "enquete.parquet", index=False)
        return [tmp_path / "personnel.xlsx", tmp_path / "enquete.parquet"]

    def test_they_are_joined_by_the_employees_numbers(
        self, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        output = tmp_path / "maison.toml"
        result = churn("dictionary", "draft", *files, "-o", output)
        assert result.exit_code == 0, result.output
        dictionary = dictionary_file.read(output)
        assert [(extract.file, extract.id_column, extract.id_prefix) for extract in dictionary.extracts] == [
            ("personnel", "Badge n°", ""),
            ("enquete", "code", "P-"),
        ]
        monkeypatch.setattr(training, "train", train_quickly)
        trained = churn("train", "--data", tmp_path, "--dictionary", output, *QUICKLY)
        assert trained.exit_code == 0, trained.output

    def test_files_without_a_common_id_are_refused(self, files: list[Path], tmp_path: Path) -> None:
        pd.DataFrame({"colour": ["red", "blue"] * 5}).assign(size=range(10)).to_csv(
            tmp_path / "a.csv", index=False
        )
        result = churn("dictionary", "draft", *files, tmp_path / "a.csv", "-o", tmp_path / "x.toml")
        assert result.exit_code == 1
        assert "no column of ids joins these files" in result.output
        assert not (tmp_path / "x.toml").exists()


def test_titles_above_a_header_that_nobody_knows_are_passed_over(file: Path, tmp_path: Path) -> None:
    table = company(40)
    titled, packed = tmp_path / "titled.csv", tmp_path / "packed.zip"
    table.to_csv(titled, index=False, sep=";")
    text = titled.read_text(encoding="utf-8")
    titled.write_text(f"Effectif;au 31/10\n;;\n{text}", encoding="utf-8")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(titled, "titled.csv")
    sheet = tmp_path / "titled.xlsx"
    table.to_excel(sheet, index=False, startrow=2)
    for path in (titled, packed, sheet):
        output = path.with_suffix(".toml")
        result = churn("dictionary", "draft", path, "-o", output)
        assert result.exit_code == 0, result.output
        named = {field.labels[0] for field in dictionary_file.read(output).fields}
        assert {"Salaire", "Travail de nuit"} <= named
        output.unlink()


def test_days_that_can_be_read_in_two_ways_are_told(tmp_path: Path) -> None:
    table = company()
    table["Embauche"] = [f"{place % 12 + 1:02d}/{place % 11 + 1:02d}/2020" for place in range(ROWS)]
    table.to_csv(tmp_path / "a.csv", index=False, sep=";")
    result = churn("dictionary", "draft", tmp_path / "a.csv", "-o", tmp_path / "a.toml")
    assert result.exit_code == 0
    doubt = "# CHECK: the days can be read as %d/%m/%Y and as %m/%d/%Y: the first is taken"
    assert doubt in (tmp_path / "a.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "Fin"), "no column is called 'Fin': expected one of Badge n°, Nom, "),
        (
            ("--target", "Équipe"),
            "Équipe: expected two values, one for those who have left, in every row; found 3",
        ),
        (("--positive", "peut-être"), "A quitté: 'peut-être' is none of its values, "),
    ],
)
def test_a_target_that_cannot_be_one_is_refused(
    options: tuple[str, ...], said: str, file: Path, tmp_path: Path
) -> None:
    result = churn("dictionary", "draft", file, "-o", tmp_path / "x.toml", *options)
    assert result.exit_code == 1
    assert said in result.output
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_says_who_has_left_the_columns_that_may_are_named(file: Path, tmp_path: Path) -> None:
    company().drop(columns=["A quitté"]).to_csv(tmp_path / "a.csv", index=False, sep=";")
    result = churn("dictionary", "draft", tmp_path / "a.csv", "-o", tmp_path / "x.toml")
    assert result.exit_code == 1
    assert (
        "no column may say who has left: name the one by --target COLUMN; columns of two values: "
        in result.output
    )
    assert "Badge rendu" in result.output


def test_the_value_of_those_who_left_can_be_named(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.toml"
    result = churn(
        "dictionary", "draft", file, "-o", output, "--target", "Badge rendu", "--positive", "rendu"
    )
    assert result.exit_code == 0, result.output
    assert dictionary_file.read(output).left == "rendu"


def test_a_file_that_is_there_is_kept(file: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("mine")
    result = churn("dictionary", "draft", file, "-o", tmp_path / "x.toml")
    assert (result.exit_code, (tmp_path / "x.toml").read_text()) == (1, "mine")
    assert "exists: name another file by -o" in result.output
