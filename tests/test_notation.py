"""How a column's numbers are written: told by the column, or by who knows; never guessed in silence."""

import csv
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from churn.cli.main import main
from churn.core.errors import ExtractError
from churn.dictionary.folding import fold_name
from churn.dictionary.technova import TECHNOVA
from churn.ingest import csv_reader, extracts
from churn.ingest.flat import FlatTable
from churn.ingest.labelled import read_labelled
from churn.ingest.mark import Mark
from churn.model.registry import ServedModel
from churn.model.sample import write_sample
from harness.servers import PROJECT
from tests.conftest import Served
from tests.support.company import EXAMPLE, EXTRACTS
from tests.support.tables import read

PAY, RISE, DISTANCE = "revenu_mensuel", "augmentation_salaire_precedente", "distance_domicile_travail"
NAN = math.nan

# What is in a column of a semicolon file, and what is read of it; one cell that is refused is NaN.
SETTLED: list[tuple[list[str], list[float]]] = [
    (["8527", "950"], [8527, 950]),
    (["8527,5", "950"], [8527.5, 950]),
    (["8527.5", "950"], [8527.5, 950]),
    (["12.5", "12,5"], [12.5, 12.5]),
    (["8.527,00", "950,00"], [8527, 950]),
    (["8,527.00", "950.00"], [8527, 950]),
    (["1.234,56", "8.527", "950"], [1234.56, 8527, 950]),
    (["12.345.678", "8.527"], [12345678, 8527]),
    (["1,234,567", "8,527", "2.5"], [1234567, 8527, 2.5]),
    (["8.527", "950,5"], [8527, 950.5]),
    (["8,527", "950.5"], [8527, 950.5]),
    (["8.527", "8.5"], [8.527, 8.5]),
    (["0.527", "8.527"], [0.527, 8.527]),
    (["8527.000", "950.000"], [8527, 950]),
    (["8.527", "1234.567"], [8.527, 1234.567]),
    (["8,527", "0,5"], [8.527, 0.5]),
    (["1.234,5", "12.34,5", "x"], [1234.5, NAN, NAN]),
]
# What can be read in two ways, by thousands and by decimals.
OPEN: list[tuple[list[str], list[float], list[float]]] = [
    (["8.527", "1.023"], [8527, 1023], [8.527, 1.023]),
    (["8.527", "950"], [8527, 950], [8.527, 950]),
    (["8.527", "12000"], [8527, 12000], [8.527, 12000]),
    (["8.527", "", "-1.000"], [8527, NAN, NAN], [8.527, NAN, NAN]),
    (["8.527"], [8527], [8.527]),
    (["1.234.567", "8.527", "8.5"], [1234567, 8527, NAN], [NAN, 8.527, 8.5]),
]

# A pay rise in JSON, what it is read as, and whether that is a guess.
READ = [
    *((0.11, 11, True), ("0.11", 11, True), ("0,11", 11, True), (0.5, 50, True)),
    *((1, 1, True), (1.0, 1, True), ("1", 1, True)),
    *((11, 11, False), ("11", 11, False), ("11 %", 11, False), ("1 %", 1, False), ("0.5 %", 0.5, False)),
    *((1.5, 1.5, False), (0, 0, False), (None, None, False)),
]  # fmt: skip


def flat(folder: Path, column: str, cells: list[str], delimiter: str = ";") -> Path:
    table = pd.DataFrame([{**EXAMPLE, column: cell} for cell in cells])
    table.to_csv(folder / "flat.csv", index=False, sep=delimiter)
    return folder / "flat.csv"


def by_file(path: Path, column: str, **told: Any) -> list[float]:
    """Return a column's values, NaN for those of rows that were refused."""
    found: dict[int, float] = {}
    for rows in FlatTable(path, TECHNOVA, **told).batches():
        found |= dict(zip(rows.numbers.tolist(), rows.cells[column].tolist(), strict=True))
        found |= {reject.place: NAN for reject in rows.rejects}
    return [found[number] for number in sorted(found)]


def put(folder: Path, column: str, cells: list[str]) -> Path:
    """Write the extracts of a few employees, with these cells in a column, separated by semicolons."""
    write_sample(folder, rows=len(cells))
    for extract in EXTRACTS:
        path = folder / f"extrait_{extract}.csv"
        header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
        for place, name in enumerate(header):
            if fold_name(name) in TECHNOVA.by_name[column].spellings:
                for row, cell in zip(rows, cells, strict=True):
                    row[place] = cell
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows([header, *rows])
    return folder


def same(found: list[float], expected: list[float]) -> None:
    assert found == pytest.approx(expected, nan_ok=True)


def mirrored(cells: list[str]) -> list[str]:
    """Return cells with points for commas, and commas for points."""
    return [cell.translate(str.maketrans(".,", ",.")) for cell in cells]


class TestThousands:
    @pytest.mark.parametrize(("cells", "values"), SETTLED)
    def test_are_read_where_the_column_tells(
        self, tmp_path: Path, cells: list[str], values: list[float]
    ) -> None:
        for written in (cells, mirrored(cells)):
            same(by_file(flat(tmp_path, PAY, written), PAY), values)
            if NAN not in values:
                found = extracts.read(put(tmp_path, PAY, written), TECHNOVA)[PAY].tolist()
                same(sorted(found), sorted(values))

    @pytest.mark.parametrize(("cells", "by_thousands", "by_decimals"), OPEN)
    @pytest.mark.parametrize("delimiter", [";", ","])
    def test_are_asked_for_where_it_does_not(
        self,
        tmp_path: Path,
        cells: list[str],
        by_thousands: list[float],
        by_decimals: list[float],
        delimiter: str,
    ) -> None:
        marks: tuple[Mark, Mark] = (".", ",")
        for mark, other, written in zip(marks, marks[::-1], (cells, mirrored(cells)), strict=True):
            path = flat(tmp_path, PAY, written, delimiter)
            with pytest.raises(ExtractError) as caught:
                FlatTable(path, TECHNOVA)
            assert (
                f"flat.csv:1: {PAY}: numbers that can be read in one way; here 1{mark}234 may be 1234"
                in str(caught.value)
            )
            assert "8527" not in str(caught.value).replace(mark, "")
            same(by_file(path, PAY, thousands=mark), by_thousands)
            same(by_file(path, PAY, thousands=other), by_decimals)

    def test_are_none_in_whole_numbers_and_percentages(self, tmp_path: Path) -> None:
        years = "annees_dans_l_entreprise"
        for cells in (["3,0", "12.0", "7"], ["3.000", "12.000", "7"], ["3,000", "12", "7"]):
            same(by_file(flat(tmp_path, years, cells), years), [3, 12, 7])
            assert sorted(extracts.read(put(tmp_path, years, cells), TECHNOVA)[years]) == [3, 7, 12]
        same(by_file(flat(tmp_path, RISE, ["11,500 %", "8.125"]), RISE), [11.5, 8.125])

    def test_are_asked_for_in_extracts(self, tmp_path: Path) -> None:
        put(tmp_path, PAY, ["8.527", "1.023", "950"])
        for read_them in (extracts.read, extracts.read_scorable, read_labelled):
            with pytest.raises(ExtractError) as caught:
                read_them(tmp_path, TECHNOVA)
            (problem,) = caught.value.problems
            assert str(problem).startswith(f"extrait_sirh.csv:1: {PAY}: numbers that can be read in one way")
        notices: list[str] = []
        assert sorted(extracts.read(tmp_path, TECHNOVA, thousands=".", tell=notices.append)[PAY]) == [
            950,
            1023,
            8527,
        ]
        assert notices[3:] == [f"extrait_sirh.csv: {PAY}: 1.234 is read as 1234"]
        assert sorted(extracts.read(tmp_path, TECHNOVA, thousands=",")[PAY]) == [1.023, 8.527, 950]

    def test_are_no_question_where_numbers_are_typed(self, tmp_path: Path) -> None:
        table = pd.DataFrame([{**EXAMPLE, PAY: 8.527}, {**EXAMPLE, PAY: 1.023}])
        table.to_parquet(tmp_path / "typed.parquet")
        assert by_file(tmp_path / "typed.parquet", PAY) == [8.527, 1.023]
        table.astype({PAY: str}).to_parquet(tmp_path / "texts.parquet")
        with pytest.raises(ExtractError, match=r"here 1\.234 may be 1234"):
            FlatTable(tmp_path / "texts.parquet", TECHNOVA)
        put(tmp_path, PAY, ["1", "2"])
        sirh = tmp_path / "extrait_sirh.csv"
        pd.read_csv(sirh, sep=";").assign(**{PAY: [8.527, 1.023]}).to_parquet(sirh.with_suffix(".parquet"))
        sirh.unlink()
        assert sorted(extracts.read(tmp_path, TECHNOVA)[PAY]) == [1.023, 8.527]

    def test_are_decided_for_the_whole_file_and_each_column(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1 << 10)
        cells = ["8.527"] * 300 + ["1.234,5"]
        path = flat(tmp_path, PAY, cells)
        table = pd.read_csv(path, sep=";", dtype=str).assign(**{DISTANCE: ["12.5"] * 300 + ["8.125"]})
        table.to_csv(path, index=False, sep=";")
        assert len(list(FlatTable(path, TECHNOVA).batches())) > 1
        assert by_file(path, PAY) == [8527] * 300 + [1234.5]
        assert by_file(path, DISTANCE) == [12.5] * 300 + [8.125]


class TestPercentages:
    @pytest.mark.parametrize(
        ("cells", "values", "told"),
        [
            (["0.11", "0.25", "0"], [11, 25, 0], "fractions: 0.11 is 11 %"),
            (["0.11", "1", "0.5"], [11, 100, 50], "fractions: 0.11 is 11 %, 1 is 100 %"),
            (["0.11"], [11], "fractions"),
            (["0,11", "14 %", "0,5 %"], [11, 14, 0.5], "fractions"),
            (["1", "0.5", "2"], [1, 0.5, 2], "in percent, as some are above 1: 0.11 is 0.11 %"),
            (["0.11", "11", "11 %"], [0.11, 11, 11], "in percent"),
            (["1", "0", "1"], [1, 0, 1], "1 without % may be 1 % or 100 %, and is read as 1 %"),
            (["1", "11 %"], [1, 11], "is read as 1 %"),
            (["1", "3"], [1, 3], None),
            (["11", "25"], [11, 25], None),
            (["11 %", "1 %", "0.5 %"], [11, 1, 0.5], None),
            (["0", ""], [0, NAN], None),
        ],
    )
    def test_have_one_reading_a_column_and_it_is_told(
        self, tmp_path: Path, cells: list[str], values: list[float], told: str | None
    ) -> None:
        notices: list[str] = []
        found = extracts.read(put(tmp_path, RISE, cells), TECHNOVA, tell=notices.append)
        same(found[RISE].tolist(), values)
        path = flat(tmp_path, RISE, cells)
        same(by_file(path, RISE), values)
        by_flat = [notice for notice in FlatTable(path, TECHNOVA).notices if notice.startswith(RISE)]
        assert [notice.partition(": ")[2] for notice in notices[3:]] == by_flat
        assert len(by_flat) == (told is not None)
        assert told is None or told in by_flat[0]

    @pytest.mark.parametrize(
        ("numbers", "values"),
        [([0.11, 0.25, 1], [11, 25, 100]), ([1, 0.5, 2], [1, 0.5, 2]), ([1, 0], [1, 0])],
    )
    def test_that_are_typed(self, tmp_path: Path, numbers: list[float], values: list[float]) -> None:
        path = tmp_path / "typed.parquet"
        pd.DataFrame([{**EXAMPLE, RISE: number} for number in numbers]).to_parquet(path)
        same(by_file(path, RISE), values)
        assert sum(notice.startswith(RISE) for notice in FlatTable(path, TECHNOVA).notices) == 1

    def test_are_decided_for_the_whole_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1 << 10)
        path = flat(tmp_path, RISE, ["0.5"] * 300 + ["3"])
        assert len(list(FlatTable(path, TECHNOVA).batches())) > 1
        assert by_file(path, RISE) == [0.5] * 300 + [3]


class TestTheApi:
    """One record at a time cannot tell by its column: it is read, and warned of."""

    def ask(self, served: Served, language: str, path: str, body: object) -> Any:
        answer = served.client.post(path, json=body, headers={"Accept-Language": language})
        assert answer.status_code == 200
        return answer.json()

    def test_warns_where_a_pay_rise_without_its_sign_is_read(self, served: Served) -> None:
        told = {
            "fr": '{name} : lu comme {value} % ; écrire "{value} %" pour lever le doute',
            "en": '{name}: read as {value} %; write "{value} %" to be sure',
        }
        for language, sentence in told.items():
            batch = [{**EXAMPLE, RISE: written} for written, _, _ in READ]
            for answer, (written, value, doubtful) in zip(
                self.ask(served, language, "/predict_batch", batch), READ, strict=True
            ):
                found = {reason["field"]: reason["value"] for reason in answer["reasons"]}
                assert found.get(RISE) == value, written
                warned = [text for text in answer["warnings"] if "%" in text]
                assert warned == [sentence.format(name=RISE, value=value)] * doubtful, written

    def test_warns_of_what_is_changed_and_no_more_of_what_it_was(self, served: Served) -> None:
        for before, after in ((0.11, "12 %"), ("12 %", 1), (0.11, None)):
            body = {"employee": {**EXAMPLE, RISE: before}, "changes": {RISE: after}}
            answer = self.ask(served, "en", "/what_if", body)
            for part, written in (("before", before), ("after", after)):
                doubtful = any("to be sure" in text for text in answer[part]["warnings"])
                assert doubtful == isinstance(written, float | int), (part, before, after)
        body = {"employee": {**EXAMPLE, RISE: 0.11}, "changes": {"heure_supplementaires": "Non"}}
        assert any(
            "to be sure" in text for text in self.ask(served, "en", "/what_if", body)["after"]["warnings"]
        )


class TestCommands:
    @pytest.fixture(autouse=True)
    def _served(self, model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CHURN_MODEL", model.tag)

    def run(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(main, list(map(str, arguments)))

    def test_score_asks_and_is_told(self, tmp_path: Path) -> None:
        source = flat(tmp_path, PAY, ["8.527", "1.023"])
        asked = self.run("score", source, "-o", tmp_path / "out.csv")
        assert asked.exit_code == 1
        for option in ("--thousands .", "--decimal .", "with make: DECIMAL=. or DECIMAL=,"):
            assert option in asked.output
        assert {path.name for path in tmp_path.iterdir()} == {"flat.csv"}
        by_decimal = self.run("score", source, "-o", tmp_path / "decimal.csv", "--decimal", ",")
        assert f"note: {PAY}: 1.234 is read as 1234" in by_decimal.output
        divided = self.run("score", source, "-o", tmp_path / "divided.csv", "--decimal", ".")
        assert f"note: {PAY}: 1.234 is read as 1.234" in divided.output
        assert "WARNING: Monthly income: 2 of 2 lie outside" in divided.output
        self.run("score", source, "-o", tmp_path / "thousands.csv", "--thousands", ".")
        assert read(tmp_path / "decimal.csv") == read(tmp_path / "thousands.csv")
        assert (
            self.run("score", put(tmp_path, PAY, ["8.527", "1.023"]), "-o", tmp_path / "f.csv").exit_code == 1
        )

    def test_the_two_options_may_not_contradict_each_other(self, tmp_path: Path) -> None:
        source = flat(tmp_path, PAY, ["8.527"])
        result = self.run("score", source, "-o", tmp_path / "out.csv", "--decimal", ".", "--thousands", ".")
        assert (result.exit_code, "cannot be the same mark" in result.output) == (2, True)

    @pytest.mark.parametrize("command", [["train", "--data"], ["setup", "--data"], ["model", "compare"]])
    def test_others_ask_and_are_told(
        self, command: list[str], tmp_path: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'churn.db'}")
        monkeypatch.delenv("CHURN_MODEL")
        put(tmp_path, PAY, ["8.527", "1.023", "1.500"])
        call = [*command, *([model.tag, model.tag, "--data"] if "compare" in command else []), str(tmp_path)]
        asked = self.run(*call)
        assert (asked.exit_code, "here 1.234 may be 1234 (--thousands .)" in asked.output) == (1, True)
        told = self.run(*call, "--thousands", ".")
        # Three employees are too few to learn from: they were read.
        assert "here 1.234" not in told.output
        assert "1.234 is read as 1234" in told.output

    @pytest.mark.parametrize("word", ["run", "train", "report"])
    def test_make_tells_it_on(self, word: str) -> None:
        call = ["make", "-n", word, "DATA=some folder", "DECIMAL=,"]
        told = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
        assert "--data 'some folder' --decimal ','" in told

    def test_the_same_files_read_in_another_way_are_other_data(self, tmp_path: Path) -> None:
        put(tmp_path, PAY, ["8.527", "1.023"])
        found = {extracts.fingerprint(tmp_path, TECHNOVA, mark) for mark in (None, ".", ",")}
        assert len(found) == 3

    def test_a_pipe_is_refused_in_one_sentence(self, tmp_path: Path) -> None:
        for name in ("pipe.csv", "63"):
            os.mkfifo(tmp_path / name)
            result = self.run("score", tmp_path / name, "-o", tmp_path / "out.csv")
            assert result.exit_code == 1
            assert f"{name}: a file that can be read twice: save what comes through" in result.output


@pytest.mark.parametrize("ending", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_line_ends_and_suffixes(tmp_path: Path, ending: str, last: bool, case: Any) -> None:
    put(tmp_path, PAY, ["8527", "1023", "950"])
    expected = extracts.read(tmp_path, TECHNOVA)
    for name in EXTRACTS:
        path = tmp_path / f"extrait_{name}.csv"
        text = path.read_text(encoding="utf-8").replace("\n", ending)
        path.unlink()
        path = tmp_path / case(path.name)
        path.write_text(text if last else text.removesuffix(ending), encoding="utf-8", newline="")
    pd.testing.assert_frame_equal(extracts.read(tmp_path, TECHNOVA), expected)
    source = flat(tmp_path, PAY, ["8527", "1023", "x"])
    text = source.read_text(encoding="utf-8").replace("\n", ending)
    source.unlink()
    source = tmp_path / case("flat.csv")
    source.write_text(text if last else text.removesuffix(ending), encoding="utf-8", newline="")
    same(by_file(source, PAY), [8527, 1023, NAN])


def test_lines_are_counted_by_carriage_returns(tmp_path: Path) -> None:
    put(tmp_path, PAY, ["8527", "x", "950"])
    for name in EXTRACTS:
        path = tmp_path / f"extrait_{name}.csv"
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r"))
    with pytest.raises(ExtractError, match=rf"extrait_sirh.csv:3: {PAY} = 'x'"):
        extracts.read(tmp_path, TECHNOVA)
    path = tmp_path / "extrait_sirh.csv"
    path.write_bytes(path.read_bytes().replace(b";x;", b";\xe9;"))
    with pytest.raises(ExtractError, match=r"extrait_sirh.csv:3: UTF-8 text"):
        extracts.read(tmp_path, TECHNOVA)
