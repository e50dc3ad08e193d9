"""Files as people have them: each is read, or named for what it is, through `churn score`."""

import codecs
import csv
import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from churn.batch import scores_workbook
from churn.cli.main import main
from churn.core.errors import ExtractError
from churn.dictionary.technova import TECHNOVA
from churn.ingest import archive, csv_reader, extracts
from churn.model.registry import ServedModel
from tests.support.tables import employees, read, write

PAY, OVERTIME = "revenu_mensuel", "heure_supplementaires"


@pytest.fixture(autouse=True)
def _served(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_MODEL", model.tag)


def score(source: Path, *options: str, to: str = "out.csv") -> Result:
    arguments = ["score", str(source), "-o", str(source.parent / to), "--overwrite", *options]
    return CliRunner().invoke(main, arguments)


def text_of(rows: int = 6, delimiter: str = ";") -> str:
    text: str = employees(rows).to_csv(index=False, sep=delimiter)
    return text


def plain(folder: Path, rows: int = 6) -> list[dict[str, str]]:
    """Return the scores of the same employees in a plain file."""
    (folder / "plain").mkdir()
    score(write(folder / "plain" / "in.csv", employees(rows)))
    return read(folder / "plain" / "out.csv")


def euros(table: pd.DataFrame, written: Callable[[int], str]) -> pd.DataFrame:
    return table.assign(**{PAY: [written(int(pay)) for pay in table[PAY]]})


def grouped(mark: str) -> Callable[[int], str]:
    return lambda pay: f"{pay:,}".replace(",", mark)


# Each as bytes, with what is said about how it is read.
READ: dict[str, tuple[Callable[[], bytes], str]] = {
    "Windows-1252": (lambda: text_of().encode("cp1252"), "semicolons, decimal commas, Windows-1252, 6 rows"),
    "UTF-16 and tabs": (
        lambda: text_of(delimiter="\t").encode("utf-16"),
        "tabs, decimal commas, UTF-16, 6 rows",
    ),
    "UTF-16 without a mark": (lambda: text_of().encode("utf-16-le"), "UTF-16, 6 rows"),
    "bars": (lambda: text_of(delimiter="|").encode(), "bars, decimal commas, UTF-8, 6 rows"),
    "CR": (lambda: text_of().replace("\n", "\r").encode(), "semicolons, decimal commas, UTF-8, 6 rows"),
    "sep=": (lambda: ("sep=;\r\n" + text_of()).encode("utf-8-sig"), "semicolons"),
    "sep= of another": (lambda: ("sep=~\n" + text_of(delimiter="~")).encode(), "“~”"),
    "titles": (
        lambda: ("Export, du 31/10;\n;\n\n" + text_of()).encode(),
        "note: 3 lines above the header passed over",
    ),
    "blank rows": (
        lambda: (text_of() + (";" * 27 + "\n") * 2).encode(),
        "2 blank rows passed over",
    ),
    "an index": (
        lambda: employees(6).to_csv(sep=";").encode(),
        "note: in.csv: column without a name passed over: 1",
    ),
    "pandas' index": (
        lambda: employees(6).rename_axis("__index_level_0__").to_csv().encode(),
        "note: in.csv: column without a name passed over: 1",
    ),
    "delimiters at the end": (
        lambda: text_of().replace("\n", ";\n").encode(),
        "column without a name passed over: 29",
    ),
    "one below the header": (
        lambda: text_of().replace("\n", ";\n").replace(";\n", "\n", 1).encode(),
        "column without a name passed over: 29",
    ),
    "spaces in thousands": (
        lambda: euros(employees(6), grouped("\N{NARROW NO-BREAK SPACE}")).to_csv(index=False).encode(),
        "commas, UTF-8, 6 rows",
    ),
    "euros": (
        lambda: (
            euros(employees(6), lambda pay: grouped("\N{NO-BREAK SPACE}")(pay) + ",00 €")
            .to_csv(index=False, sep=";")
            .encode("cp1252")
        ),
        "Windows-1252",
    ),
    "Excel": (lambda: workbook(employees(6)), "Excel, 6 rows, sheet “Sheet1”"),
}


def workbook(table: pd.DataFrame) -> bytes:
    with io.BytesIO() as file:
        table.to_excel(file, index=False)
        return file.getvalue()


def test_one_row_with_a_delimiter_at_its_end_keeps_no_other_out(tmp_path: Path) -> None:
    lines = text_of().splitlines()
    (tmp_path / "in.csv").write_text("\n".join([lines[0], lines[1] + ";", *lines[2:]]), "utf-8")
    score(tmp_path / "in.csv")
    assert [row["row"] for row in read(tmp_path / "out.csv")] == ["2", "3", "4", "5", "6"]


def test_a_quote_left_open_right_below_the_header_is_named(tmp_path: Path) -> None:
    header, rows = text_of(300).split("\n", 1)
    (tmp_path / "in.csv").write_text(f'{header}\n"{rows * 4}', "utf-8")
    assert "at least one employee" not in score(tmp_path / "in.csv").output
    assert "28 values, as in the header, not 1" in (tmp_path / "out.rejects.csv").read_text("utf-8")


@pytest.mark.parametrize("suffix", [".tsv", ".TXT"])
def test_a_text_file_may_have_another_suffix(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"in{suffix}").write_text(text_of(delimiter="\t"), "utf-8")
    assert "tabs, decimal commas, UTF-8, 6 rows" in score(tmp_path / f"in{suffix}").output


@pytest.mark.parametrize("kind", READ)
def test_is_read_as_the_plain_file(tmp_path: Path, kind: str) -> None:
    make, said = READ[kind]
    (tmp_path / "in.csv").write_bytes(make())
    result = score(tmp_path / "in.csv")
    assert (result.exit_code, said in result.output) == (0, True), result.output
    scores = [row["probability"] for row in read(tmp_path / "out.csv")]
    assert scores == [row["probability"] for row in plain(tmp_path)]


def zipped(**files: bytes) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)
        return file.getvalue()


NAMED: dict[str, tuple[bytes, str]] = {
    "7z": (b"7z\xbc\xaf\x27\x1c", "not an archive"),
    "a web page": (b"\n<!DOCTYPE html><table><tr><td>age</td></tr></table>", "not a web page"),
    "JSON": (b'[{"age": 40, "poste": "Manager"}]', "not JSON"),
    "a conflict": (b"<<<<<<< HEAD\nage;poste\n=======\nage;job\n>>>>>>> main\n", "a Git conflict"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "PDF": (b"%PDF-1.7\n", "not a document"),
    "binary": (b"\x01\x00\x00\x02\x00\x00\x00\x03", "not binary data"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(600), "save this workbook as .xlsx"),
    "an empty ODS file": (zipped(**{"mimetype": b"", "content.xml": b""}), "a readable .ods file"),
    "quoted lines": (b'"age;poste"\n"40;Manager"\n', "each whole line stands in quotes"),
}


@pytest.mark.parametrize("kind", NAMED)
def test_what_is_no_table_is_named(tmp_path: Path, kind: str) -> None:
    content, named = NAMED[kind]
    (tmp_path / "in.csv").write_bytes(content)
    result = score(tmp_path / "in.csv")
    assert (result.exit_code, named in result.output) == (1, True), result.output


def test_broken_accents_are_named(tmp_path: Path) -> None:
    table = employees(6).assign(statut_marital="CÃ©libataire")
    result = score(write(tmp_path / "in.csv", table))
    assert "note: accents are broken (Ã© for é)" in result.output
    assert result.exit_code == 3


def test_a_row_of_totals_is_named_once_and_not_scored(tmp_path: Path) -> None:
    table = employees(6).astype({"employee_id": str})
    means = table.tail(1).assign(employee_id="Moyenne générale")
    score(write(tmp_path / "in.csv", pd.concat([table, means, means.assign(age=3.5)])))
    found = [(row["row"], row["column"], row["expected"]) for row in read(tmp_path / "out.rejects.csv")]
    named = ("employee_id", "an employee, not a row of totals: remove it")
    assert found == [("7", *named), ("8", *named)]


def test_blank_rows_far_apart_are_counted_and_keep_the_numbers_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = text_of(200).splitlines()
    width = lines[0].count(";")
    (tmp_path / "in.csv").write_text(
        "\n".join([*lines[:50], ";" * width, *lines[50:], " ;" * width]), "utf-8"
    )
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 4096)
    assert "200 rows, 2 blank rows passed over" in score(tmp_path / "in.csv").output
    assert [int(row["row"]) for row in read(tmp_path / "out.csv")] == [*range(1, 50), *range(51, 202)]


def test_bad_rows_below_titles_are_named_by_their_lines(tmp_path: Path) -> None:
    text = "Export\n\n" + text_of().replace(employees(2)["poste"][1], "Astronaute", 1) + "1;2\n"
    (tmp_path / "in.csv").write_text(text, "utf-8")
    assert score(tmp_path / "in.csv").exit_code == 0
    assert {row["row"] for row in read(tmp_path / "out.rejects.csv")} <= {"1", "2", "7"}
    assert [row["expected"] for row in read(tmp_path / "out.rejects.csv")][-1].endswith("not 2")


@pytest.mark.parametrize(
    ("options", "code", "left"), [((), 3, True), (("--strict",), 2, False)], ids=["lenient", "strict"]
)
def test_the_exit_code_says_that_rows_were_rejected(
    tmp_path: Path, options: tuple[str, ...], code: int, left: bool
) -> None:
    result = score(write(tmp_path / "in.csv", employees(3).assign(age=9)), *options)
    assert (result.exit_code, (tmp_path / "out.csv").exists()) == (code, left)


def test_how_a_file_is_read_is_said_in_the_chosen_language(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(("Export\n" + text_of()).encode("cp1252"))
    french = score(tmp_path / "in.csv", "--language", "fr").output
    assert "in.csv : points-virgules, virgules décimales, Windows-1252, 6 lignes" in french
    assert "note: 1 ligne au-dessus de l'en-tête, laissée de côté" in french


class TestFolder:
    @pytest.mark.parametrize(
        "name", ["{} (1).csv", "{}_2026-03.CSV", "{} - Copie (2).csv", "{}.20260331.csv"]
    )
    def test_names_with_dates_and_numbers_of_copies_are_known(
        self, tmp_path: Path, sample: Path, name: str
    ) -> None:
        for path in sample.iterdir():
            (tmp_path / name.format(path.stem.title())).write_bytes(path.read_bytes())
        told: list[str] = []
        found = extracts.read(tmp_path, TECHNOVA, tell=told.append)
        pd.testing.assert_frame_equal(found, extracts.read(sample, TECHNOVA))
        assert told[0].endswith("UTF-8, 600 rows")

    def test_another_name_or_two_copies_are_not_chosen_from(self, tmp_path: Path, sample: Path) -> None:
        for path in sample.iterdir():
            for name in (f"{path.stem} (1).csv", f"{path.stem} (2).csv", f"{path.stem}_old.csv"):
                (tmp_path / name).write_bytes(path.read_bytes())
        with pytest.raises(ExtractError, match=r"extrait_eval \(1\).csv and extrait_eval \(2\).csv are"):
            extracts.read(tmp_path, TECHNOVA)


class TestSheet:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        with pd.ExcelWriter(tmp_path / "in.xlsx") as file:
            for name in ("Janvier", "Février"):
                employees(6 if name == "Janvier" else 4).to_excel(file, sheet_name=name, index=False)
        return tmp_path / "in.xlsx"

    def test_is_chosen_by_its_name(self, path: Path) -> None:
        assert "Excel, 4 rows, sheet “Février”" in score(path, "--sheet", "Février").output
        assert len(read(path.parent / "out.csv")) == 4

    def test_is_asked_for_where_several_could_be_meant(self, path: Path) -> None:
        assert "not 2: hide or remove the others, or name one with --sheet" in score(path).output
        assert "one of its sheets: Janvier, Février" in score(path, "--sheet", "Mars").output


class TestOutput:
    def test_is_a_workbook_for_people(self, tmp_path: Path) -> None:
        table = employees(6).astype({"employee_id": object})
        table.loc[1, "employee_id"] = "=1+1"
        source = write(tmp_path / "in.csv", table)
        assert score(source, to="out.xlsx").exit_code == 0
        sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Scores"]
        header, *rows = list(sheet.iter_rows())
        assert [cell.value for cell in header[:3]] == [
            "Matricule",
            "Ligne du fichier",
            "Probabilité de départ",
        ]
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == (
            "B2",
            f"A1:{'ABCDEFGHIJKLMNO'[len(header) - 1]}7",
        )
        assert (rows[1][0].value, rows[1][0].data_type) == ("'=1+1", "s")
        assert {cell.number_format for cell in (row[2] for row in rows)} == {"0.0%"}
        assert {row[4].value for row in rows} <= {"faible", "modéré", "élevé"}
        score(source)
        assert [row[2].value for row in rows] == [
            pytest.approx(float(row["probability"]), abs=1e-14) for row in read(tmp_path / "out.csv")
        ]

    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_is_csv_for_people_of_a_language(self, tmp_path: Path, language: str) -> None:
        source = write(tmp_path / "in.csv", employees(6).assign(age=[9, *[40] * 5]))
        score(source, "--for-people", "--language", language)
        score(source, "--language", language, to="plain.csv")
        french = language == "fr"
        contents = [(tmp_path / name).read_bytes() for name in ("out.csv", "out.rejects.csv")]
        assert [content.startswith(codecs.BOM_UTF8) for content in contents] == [french, french]
        texts = [io.StringIO(content.decode("utf-8-sig"), newline="") for content in contents]
        (header, *rows), (refused, reject) = (
            list(csv.reader(text, delimiter=";" if french else ",")) for text in texts
        )
        assert (header[0], refused[0]) == (("Matricule", "Fichier") if french else ("Employee id", "File"))
        assert all(("," if french else ".") in row[2] for row in rows)
        probabilities = [row["probability"] for row in read(tmp_path / "plain.csv")]
        assert [row[2].replace(",", ".") for row in rows] == probabilities
        assert reject[-1].startswith("un entier" if french else "an integer")

    def test_has_no_formula_for_a_spreadsheet_to_run(self, tmp_path: Path) -> None:
        ids = ["=1+1", "@SUM(A1)", "+33", "-4", "E_5", "6"]
        table = employees(6).assign(employee_id=ids, poste=["=HYPERLINK(1)", *["Manager"] * 5])
        score(write(tmp_path / "in.csv", table))
        assert [row["employee_id"] for row in read(tmp_path / "out.csv")] == [
            "'@SUM(A1)",
            "'+33",
            "'-4",
            "E_5",
            "6",
        ]
        [reject] = read(tmp_path / "out.rejects.csv")
        assert (reject["employee_id"], reject["value"]) == ("'=1+1", "'=HYPERLINK(1)")
        score(tmp_path / "in.csv", to="out.parquet")
        assert [row["employee_id"] for row in read(tmp_path / "out.parquet")] == ids[1:]

    def test_of_more_rows_than_a_sheet_holds_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scores_workbook, "MOST_ROWS", 5)
        result = score(write(tmp_path / "in.csv", employees(6)), to="out.xlsx")
        assert (result.exit_code, "a workbook holds 5 rows" in result.output) == (1, True)
        assert not (tmp_path / "out.xlsx").exists()


class TestArchive:
    @pytest.mark.parametrize("name", ["in.zip", "in.csv", "in.csv.gz"])
    def test_of_one_table_is_unpacked(self, tmp_path: Path, name: str) -> None:
        table = text_of().encode("cp1252")
        mac = {"__MACOSX/a/._employees.csv": b"x", "a/.DS_Store": b"x", "a/read me.md": b"x"}
        content = (
            gzip.compress(table) if name.endswith(".gz") else zipped(**mac, **{"a/employees.csv": table})
        )
        (tmp_path / name).write_bytes(content)
        result = score(tmp_path / name)
        assert "semicolons, decimal commas, Windows-1252, 6 rows" in result.output
        assert len(read(tmp_path / "out.csv")) == 6

    def test_of_the_extracts_is_unpacked_and_leaves_nothing(
        self, tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "tmp").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
        files = {f"Export/{path.stem} (1).csv": path.read_bytes() for path in sample.iterdir()}
        (tmp_path / "in.zip").write_bytes(zipped(**files))
        assert "600 rows scored" in score(tmp_path / "in.zip").output
        assert list((tmp_path / "tmp").iterdir()) == []

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            (zipped(**{"a.md": b"x"}), "an archive with one table"),
            (zipped(**{"a/x.csv": b"x", "b/x.csv": b"x"}), "an archive with one table"),
            (zipped(**{"x.csv": b"a" * 2_000}), "an archive with one table"),
            (zipped(**{"x.csv": b"a;b"}).replace(b"x.csv", b"x.csv\xff", 1), "a readable archive"),
        ],
        ids=["no table", "two of one name", "too large", "damaged"],
    )
    def test_of_anything_else_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, named: str
    ) -> None:
        monkeypatch.setattr(archive, "MAX_UNPACKED", 1_000)
        (tmp_path / "in.zip").write_bytes(content)
        result = score(tmp_path / "in.zip")
        assert (result.exit_code, named in result.output) == (1, True), result.output
