"""A table of employees in, a file of scores out: through `Run`, in process."""

import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from churn.batch.run import Files, Run, Summary
from churn.core.errors import ExtractError, SettingsError
from churn.core.language import Language
from churn.dictionary.technova import TECHNOVA
from churn.ingest import csv_reader, parquet_reader
from churn.ingest.flat import FlatTable
from churn.ingest.folder import FolderTable
from churn.ingest.rows import EmployeeTable
from churn.model.registry import ServedModel
from churn.model.sample import write_sample
from churn.model.scorecard import Curve, Scorecard, Table
from churn.model.scoring import Scorer
from harness.servers import environment
from tests.support.company import MODELS
from tests.support.tables import CORE, employees, read, write

Score = Callable[..., Summary]


@pytest.fixture
def score(model: ServedModel, tmp_path: Path) -> Score:
    """Return a function that scores a file to `out.csv`, or to another file of the folder."""

    def run(source: Path | EmployeeTable, to: str = "out.csv", **options: Any) -> Summary:
        table = FlatTable(source, TECHNOVA) if isinstance(source, Path) else source
        files = Files(tmp_path / to, tmp_path / "out.rejects.csv", options.pop("overwrite", False))
        progress = options.pop("progress", lambda rows, share: None)
        return Run(model, options.pop("language", "fr"), **options).score(table, files, progress)

    return run


def rejects(tmp_path: Path) -> list[tuple[str, ...]]:
    """Return the rejects without the file's name."""
    return [tuple(row.values())[1:] for row in read(tmp_path / "out.rejects.csv")]


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestScores:
    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_are_those_of_the_api_with_the_same_reasons(
        self, score: Score, model: ServedModel, tmp_path: Path, language: Language
    ) -> None:
        table = employees()
        summary = score(write(tmp_path / "in.csv", table), language=language)
        rows = read(tmp_path / "out.csv")
        scorer = Scorer(model)
        flagged = 0
        for number, (row, record) in enumerate(zip(rows, table.to_dict("records"), strict=True), start=1):
            asked = MODELS.employee.model_validate(
                {str(k): getattr(v, "item", lambda v=v: v)() for k, v in record.items()}
            )
            [scored] = scorer.score([asked])
            answer = scorer.answer(scored, language)
            assert (row["employee_id"], row["row"]) == (str(record["employee_id"]), str(number))
            assert float(row["probability"]) == pytest.approx(answer.probability, abs=1e-9)
            assert (int(row["prediction"]), row["band"]) == (answer.prediction, answer.band)
            assert [row[f"reason_{n}"] for n in (1, 2, 3)] == [reason.text for reason in answer.reasons[:3]]
            assert (row["model"], float(row["threshold"]), row["journalled"]) == (
                model.tag,
                model.threshold,
                "false",
            )
            flagged += answer.prediction
        assert "prediction_id" not in rows[0]
        assert (summary.scored, summary.flagged, summary.rejected, summary.rejects) == (
            300,
            flagged,
            0,
            False,
        )
        assert left_in(tmp_path) == {"in.csv", "out.csv"}

    @pytest.mark.parametrize(
        ("source", "to"), [("in.parquet", "out.parquet"), ("in.parquet", "o.csv"), ("in.csv", "o.parquet")]
    )
    def test_are_the_same_in_both_formats(self, score: Score, tmp_path: Path, source: str, to: str) -> None:
        score(write(tmp_path / "plain.csv", employees()), "plain.out.csv")
        score(write(tmp_path / source, employees()), to)
        for one, other in zip(read(tmp_path / to), read(tmp_path / "plain.out.csv"), strict=True):
            assert float(one["probability"]) == float(other["probability"])
            assert {k: str(v).lower() for k, v in one.items()} == {k: v.lower() for k, v in other.items()}

    def test_in_parquet_are_typed_and_words_are_kept_once(self, score: Score, tmp_path: Path) -> None:
        score(write(tmp_path / "in.parquet", employees()), "out.parquet")
        schema = pyarrow.parquet.read_schema(tmp_path / "out.parquet")
        assert schema.field("employee_id").type == pa.int64()
        assert schema.field("prediction").type == pa.int8()
        for name in ("band", "reason_1", "reason_2", "reason_3", "model"):
            assert pa.types.is_dictionary(schema.field(name).type)

    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_of_many_batches_keep_the_order_and_count_on(
        self, score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
    ) -> None:
        source = write(tmp_path / f"in{suffix}", employees())
        score(source, "whole.csv")
        monkeypatch.setattr(parquet_reader, "BATCH_ROWS", 32)
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 4096)
        steps: list[tuple[int, float]] = []
        score(source, progress=lambda rows, share: steps.append((rows, share)))
        assert (tmp_path / "out.csv").read_text() == (tmp_path / "whole.csv").read_text()
        assert len(steps) > 5
        assert steps == sorted(steps)
        assert steps[-1] == (300, 1.0)

    def test_without_ids_and_with_core_fields_only(self, score: Score, tmp_path: Path) -> None:
        score(write(tmp_path / "in.csv", employees()[CORE]))
        row = read(tmp_path / "out.csv")[0]
        assert next(iter(row)) == "row"
        assert row["reason_3"]

    def test_what_is_unknown_is_no_reason(self, model: ServedModel, tmp_path: Path) -> None:
        job, pay = Table({"Manager": 1.0}), Curve((0.0, 1.0), ((0.0, 0.5),))
        small = replace(model, scorecard=Scorecard(0.0, {"poste": job, "revenu_mensuel": pay}))
        source = write(tmp_path / "in.csv", employees(5).assign(poste=["Manager", *[""] * 4]))
        files = Files(tmp_path / "o.csv", tmp_path / "r.csv")
        Run(small, "fr").score(FlatTable(source, TECHNOVA), files, lambda *_: None)
        rows = read(tmp_path / "o.csv")
        assert [row["reason_1"].split(" : ")[0] for row in rows] == ["Poste", *["Revenu mensuel"] * 4]
        assert [row["reason_2"].split(" : ")[0] for row in rows] == ["Revenu mensuel", *[""] * 4]
        assert {row["reason_3"] for row in rows} == {""}

    def test_a_model_with_protected_fields_does_not_name_them(
        self, model: ServedModel, tmp_path: Path
    ) -> None:
        card = model.scorecard
        points = Table({"F": 9.0, "M": -9.0})
        unfair = replace(model, scorecard=Scorecard(card.base_value, {"genre": points, **card.effects}))
        source = write(tmp_path / "in.csv", employees(20))
        Run(unfair, "fr").score(
            FlatTable(source, TECHNOVA), Files(tmp_path / "o.csv", tmp_path / "r.csv"), lambda *_: None
        )
        firsts = {row["reason_1"] for row in read(tmp_path / "o.csv")}
        assert firsts == {
            f"Autres facteurs : leur somme {verb} le risque" for verb in ("augmente", "diminue")
        }


class TestDialects:
    @pytest.mark.parametrize("delimiter", [",", ";"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_of_csv(self, score: Score, tmp_path: Path, delimiter: str, encoding: str) -> None:
        score(write(tmp_path / "plain.csv", employees(20)), "plain.out.csv")
        score(write(tmp_path / "in.csv", employees(20), delimiter, encoding))
        assert (tmp_path / "out.csv").read_text() == (tmp_path / "plain.out.csv").read_text()

    def test_decimal_comma_in_a_semicolon_file(self, score: Score, tmp_path: Path) -> None:
        table = employees(2).assign(distance_domicile_travail=12.5)
        score(write(tmp_path / "points.csv", table), "points.out.csv")
        text = (write(tmp_path / "in.csv", table, ";")).read_text(encoding="utf-8")
        assert "12.5" in text
        (tmp_path / "in.csv").write_text(text.replace("12.5", "12,5"), encoding="utf-8")
        score(tmp_path / "in.csv")
        assert (tmp_path / "out.csv").read_text() == (tmp_path / "points.out.csv").read_text()

    def test_aliases_in_any_case_with_accents_or_without(self, score: Score, tmp_path: Path) -> None:
        names = {
            "heure_supplementaires": "HEURES_SUPP",
            "annees_dans_l_entreprise": "Ancienneté",
            "employee_id": "id_employee",
        }
        score(write(tmp_path / "plain.csv", employees(20)), "plain.out.csv")
        score(write(tmp_path / "in.csv", employees(20).rename(columns=names)))
        assert (tmp_path / "out.csv").read_text() == (tmp_path / "plain.out.csv").read_text()


class TestHeader:
    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_all_problems_are_listed(self, tmp_path: Path, suffix: str) -> None:
        table = employees(3).drop(columns="revenu_mensuel").rename(columns={"departement": "departemant"})
        table = table.assign(ANCIENNETE=1, shoe_size=42)
        with pytest.raises(ExtractError, match=r"^4 problems") as caught:
            FlatTable(write(tmp_path / f"in{suffix}", table), TECHNOVA)
        text = str(caught.value)
        assert f"in{suffix}:1: revenu_mensuel: this column, which is absent" in text
        assert "departemant: no such column, or departement, if that is meant: rename it" in text
        assert "shoe_size: no such column: rename it, remove it, or name it with --ignore-column" in text
        assert "one column for annees_dans_l_entreprise; 'annees_dans_l_entreprise' is it already" in text

    def test_columns_may_be_ignored_by_name(self, score: Score, tmp_path: Path) -> None:
        source = write(tmp_path / "in.csv", employees(3).assign(Prénom="Zoé"))
        assert score(FlatTable(source, TECHNOVA, ignore=["PRENOM"])).scored == 3

    def test_the_target_is_ignored_and_absent_fields_are_told(self, score: Score, tmp_path: Path) -> None:
        table = employees(3).drop(columns="poste").assign(A_quitte_l_entreprise="?")
        opened = FlatTable(write(tmp_path / "in.csv", table), TECHNOVA)
        assert opened.notices == [
            "A_quitte_l_entreprise is what the model predicts: ignored",
            "absent, so unknown for everybody: poste",
        ]
        assert score(opened).scored == 3

    def test_columns_of_the_extracts_that_say_nothing_are_known(self, score: Score, tmp_path: Path) -> None:
        table = employees(3).assign(eval_number="E_1", code_sondage="001", ayant_enfants="Y")
        assert score(write(tmp_path / "in.csv", table)).scored == 3


CORE_HEADER = ",".join(CORE)


class TestUnusable:
    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("in.csv", b"", "in.csv:1: a header"),
            ("in.csv", CORE_HEADER.encode(), "in.csv: at least one employee below the header"),
            ("in.csv", CORE_HEADER.encode() + b"\n\n", "in.csv: at least one employee below the header"),
            (
                "in.csv",
                CORE_HEADER.replace(",", "~").encode(),
                "separated by commas, semicolons, tabs or bars",
            ),
            ("in.csv", f"{CORE_HEADER}\n{'é,' * 9}".encode() + b"\xe9\n", "in.csv:2: UTF-8 text"),
            ("in.parquet", b"", "a readable .parquet file ("),
            ("in.parquet", b"PAR1 and no more", "a readable .parquet file ("),
            (
                "in.xls",
                b"PK",
                "a .csv, .xlsx, .ods or .parquet file, or a folder: save this workbook as .xlsx",
            ),
            ("in.xlsx", b"PK", "a readable .xlsx file ("),
        ],
    )
    def test_files_are_refused_and_nothing_is_left(
        self, score: Score, tmp_path: Path, name: str, content: bytes, expected: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ExtractError) as caught:
            score(tmp_path / name)
        assert expected in str(caught.value)
        assert left_in(tmp_path) == {name}

    def test_a_parquet_file_without_rows(self, score: Score, tmp_path: Path) -> None:
        with pytest.raises(ExtractError, match="at least one employee"):
            score(write(tmp_path / "in.parquet", employees(0)))
        assert left_in(tmp_path) == {"in.parquet"}

    def test_a_nested_column(self, score: Score, tmp_path: Path) -> None:
        for name in ("poste", "employee_id"):
            nested = employees(2).assign(**{name: pd.Series([[1], [2]])})
            source = write(tmp_path / "in.parquet", nested)
            with pytest.raises(ExtractError, match=f"{name}: a column of text or numbers, not list<"):
                score(source)

    def test_a_quote_left_open_in_a_long_file(
        self, score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 4096)
        source = write(tmp_path / "in.csv", employees())
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        source.write_text("".join([*lines[:150], '"', *lines[150:]]), encoding="utf-8")
        with pytest.raises(ExtractError, match="a quote may have been left open"):
            score(source)
        assert left_in(tmp_path) == {"in.csv"}


class TestRejects:
    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    def test_do_not_stop_the_others(self, score: Score, tmp_path: Path, suffix: str) -> None:
        table = employees(6).astype({"poste": object, "revenu_mensuel": float, "age": float})
        good = {row["row"]: row for row in read_after(score, write(tmp_path / "good.csv", table), tmp_path)}
        ids = table["employee_id"].astype(str).tolist()
        table.loc[1, "poste"] = "Pilote"
        table.loc[1, "age"] = 17
        table.loc[4, "revenu_mensuel"] = -1.0
        summary = score(write(tmp_path / f"in{suffix}", table))
        assert (summary.scored, summary.rejected, summary.rejects) == (4, 2, True)
        kept = read(tmp_path / "out.csv")
        assert [row["row"] for row in kept] == ["1", "3", "4", "6"]
        assert kept == [good[row["row"]] for row in kept]
        integer = "an integer from 18 to 70, or nothing where unknown"
        jobs = "one of: " + ", ".join(TECHNOVA.by_name["poste"].categories) + ", or nothing where unknown"
        found = rejects(tmp_path)
        assert sorted(found[:2]) == [
            ("2", ids[1], "age", "17.0", integer),
            ("2", ids[1], "poste", "Pilote", jobs),
        ]
        assert found[2:] == [("5", ids[4], "revenu_mensuel", "-1.0", "a number ≥ 0")]

    def test_of_ragged_rows_keep_the_numbers_right(
        self, score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = write(tmp_path / "in.csv", employees())
        lines = source.read_text(encoding="utf-8").splitlines()
        for row in (2, 150, 151, 300):
            lines[row] += ",1"
        lines[299] = "1"
        source.write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 4096)
        assert score(source).scored == 295
        width = len(employees().columns)
        expected = f"{width} values, as in the header, not {{}}"
        lengths = {2: width + 1, 150: width + 1, 151: width + 1, 299: 1, 300: width + 1}
        assert rejects(tmp_path) == [
            (str(row), "", "", "", expected.format(length)) for row, length in lengths.items()
        ]
        bad = set(lengths)
        assert [int(row["row"]) for row in read(tmp_path / "out.csv")] == [
            n for n in range(1, 301) if n not in bad
        ]
        ids = employees()["employee_id"].tolist()
        assert [row["employee_id"] for row in read(tmp_path / "out.csv")] == [
            str(one) for n, one in enumerate(ids, start=1) if n not in bad
        ]

    def test_of_numbers_that_are_none(self, score: Score, tmp_path: Path) -> None:
        columns = pa.Table.from_pandas(employees(6), preserve_index=False)
        bad = {
            "distance_domicile_travail": pa.array(
                [1.0, float("nan"), float("inf"), -float("inf"), None, 1e13]
            ),
            "niveau_education": pa.array([1.5, 2, 3, 4, None, 5]),
        }
        for name, cells in bad.items():
            columns = columns.set_column(columns.column_names.index(name), name, cells)
        pyarrow.parquet.write_table(columns, tmp_path / "in.parquet")
        assert score(tmp_path / "in.parquet").scored == 0
        found = [(row, column, value) for row, _, column, value, _ in rejects(tmp_path)]
        distance = "distance_domicile_travail"
        assert found == [
            ("1", "niveau_education", "1.5"),
            *(("2", distance, "nan"), ("3", distance, "inf"), ("4", distance, "-inf")),
            *(("5", distance, ""), ("6", distance, "10000000000000.0")),
        ]

    def test_of_booleans_which_are_no_numbers_but_yes_and_no(self, score: Score, tmp_path: Path) -> None:
        table = employees(2).assign(nombre_participation_pee=True, heure_supplementaires=False)
        assert score(write(tmp_path / "in.parquet", table)).scored == 0
        assert {(row[2], row[3]) for row in rejects(tmp_path)} == {("nombre_participation_pee", "True")}

    def test_of_ids_that_name_nobody(self, score: Score, tmp_path: Path) -> None:
        table = employees(5)
        ids = ["E_1", "", "x" * 65, "a\x07b", "été 3"]
        score(write(tmp_path / "in.csv", table.assign(employee_id=ids)))
        assert [row["employee_id"] for row in read(tmp_path / "out.csv")] == ["E_1", "", "été 3"]
        assert [row[0] for row in rejects(tmp_path)] == ["3", "4"]
        score(
            write(tmp_path / "in.parquet", table.assign(employee_id=[1.0, 2.5, -1, np.nan, 3])),
            overwrite=True,
        )
        assert [row["employee_id"] for row in read(tmp_path / "out.csv")] == ["1", "", "3"]

    def test_are_refused_when_strict_without_their_values(self, score: Score, tmp_path: Path) -> None:
        table = employees(4).astype({"poste": object})
        table.loc[2, "poste"] = "Astronaute"
        with pytest.raises(ExtractError, match=r"1 problem.*\n.*in.csv: row 3, poste: one of") as caught:
            score(write(tmp_path / "in.csv", table), strict=True)
        assert "Astronaute" not in str(caught.value)
        assert left_in(tmp_path) == {"in.csv"}


def read_after(score: Score, source: Path, tmp_path: Path) -> list[dict[str, Any]]:
    score(source, "good.out.csv")
    return read(tmp_path / "good.out.csv")


class TestFolder:
    def test_scores_the_joined_employees_without_a_target(self, score: Score, tmp_path: Path) -> None:
        folder = extracts_in(tmp_path, drop_target=True)
        table = FolderTable(folder, TECHNOVA)
        assert table.notices == []
        assert score(table).scored == 50
        ids = [int(row["employee_id"]) for row in read(tmp_path / "out.csv")]
        assert ids == sorted(ids)

    def test_a_target_is_ignored_with_a_notice(self, tmp_path: Path, score: Score) -> None:
        folder = extracts_in(tmp_path)
        path = folder / "extrait_sondage.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("Oui,", "?,"), encoding="utf-8")
        table = FolderTable(folder, TECHNOVA)
        assert table.notices == ["a_quitte_l_entreprise is what the model predicts: ignored"]
        assert score(table).rejected == 0

    def test_bad_employees_are_rejected_by_line_and_id(self, score: Score, tmp_path: Path) -> None:
        folder = extracts_in(tmp_path)
        sirh, evaluations = folder / "extrait_sirh.csv", folder / "extrait_eval.csv"
        lines = sirh.read_text(encoding="utf-8").splitlines()
        ids = [line.split(",")[0] for line in lines]
        lines[2] = lines[2].replace(",", ",9", 1)  # an age of 9xx
        lines[3] = "x" + lines[3]
        lines.append(lines[5])
        sirh.write_text("\n".join(lines), encoding="utf-8")
        rows = evaluations.read_text(encoding="utf-8").splitlines()
        rows[7] += ",1"
        evaluations.write_text("\n".join(rows), encoding="utf-8")
        summary = score(FolderTable(folder, TECHNOVA))
        left_out = {ids[2], ids[3], ids[5], ids[7]}
        assert {row["employee_id"] for row in read(tmp_path / "out.csv")} == set(ids[1:]) - left_out
        found = {
            (row["file"], row["line"], row["employee_id"], row["column"])
            for row in read(tmp_path / "out.rejects.csv")
        }
        assert found >= {
            ("extrait_sirh.csv", "3", ids[2], "age"),
            ("extrait_sirh.csv", "4", "", "id_employee"),
            ("extrait_sirh.csv", "52", ids[5], "id_employee"),
            ("extrait_eval.csv", "8", "", ""),
            ("extrait_sirh.csv", "8", ids[7], "id_employee"),
        }
        assert summary.scored == 46
        assert summary.rejects

    def test_a_missing_file_or_column_is_refused(self, tmp_path: Path) -> None:
        folder = extracts_in(tmp_path)
        (folder / "extrait_eval.csv").unlink()
        with pytest.raises(ExtractError, match="none is there"):
            FolderTable(folder, TECHNOVA)
        write_sample(folder, rows=50)
        path = folder / "extrait_sirh.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("poste", "postes", 1), encoding="utf-8")
        with pytest.raises(ExtractError, match="postes: no such column"):
            FolderTable(folder, TECHNOVA)


def extracts_in(tmp_path: Path, *, drop_target: bool = False) -> Path:
    folder = tmp_path / "extracts"
    folder.mkdir()
    write_sample(folder, rows=50)
    if drop_target:
        path = folder / "extrait_sondage.csv"
        pd.read_csv(path, dtype=str).drop(columns=TECHNOVA.target.name).to_csv(path, index=False)
    return folder


class TestWholeOrNothing:
    def test_an_existing_output_is_kept_unless_it_may_be_overwritten(
        self, score: Score, tmp_path: Path
    ) -> None:
        source = write(tmp_path / "in.csv", employees(3))
        for name in ("out.csv", "out.rejects.csv"):
            (tmp_path / name).write_text("mine")
            with pytest.raises(
                SettingsError, match=f"{name} is already there: name another, or add --overwrite"
            ):
                score(source)
            assert (tmp_path / name).read_text() == "mine"
            (tmp_path / name).rename(tmp_path / f"kept.{name}")
        for name in ("out.csv", "out.rejects.csv"):
            (tmp_path / name).write_text("mine")
        score(source, overwrite=True)
        assert len(read(tmp_path / "out.csv")) == 3
        assert not (tmp_path / "out.rejects.csv").exists()

    def test_others_may_read_it_as_any_new_file(self, score: Score, tmp_path: Path) -> None:
        source = write(tmp_path / "in.csv", employees(3))
        score(source)
        assert (tmp_path / "out.csv").stat().st_mode == source.stat().st_mode

    @pytest.mark.parametrize("to", ["out.txt", "out", "nowhere/out.csv"])
    def test_an_output_that_cannot_be_is_refused_at_once(self, score: Score, tmp_path: Path, to: str) -> None:
        source = write(tmp_path / "in.csv", employees(3))
        with pytest.raises(
            SettingsError, match=r"must end in .csv, .xlsx or .parquet|a file in a folder that is there"
        ):
            score(source, to)

    def test_an_output_that_is_the_input_is_refused(self, score: Score, tmp_path: Path) -> None:
        source = write(tmp_path / "in.csv", employees(3))
        with pytest.raises(SettingsError, match="is already there"):
            score(source, "in.csv")

    @pytest.mark.parametrize("to", ["out.csv", "out.parquet"])
    def test_an_interruption_leaves_nothing_and_the_old_files_as_they_were(
        self, score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
    ) -> None:
        monkeypatch.setattr(parquet_reader, "BATCH_ROWS", 100)
        table = employees().astype({"age": float})
        table.loc[0, "age"] = 9
        source = write(tmp_path / "in.parquet", table)
        (tmp_path / to).write_text("old")
        seen: list[set[str]] = []

        def interrupt(rows: int, share: float) -> None:
            seen.append(left_in(tmp_path))
            if rows == 200:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            score(source, to, overwrite=True, progress=interrupt)
        # Until then, two files were being written beside.
        assert len(seen[-1]) == 4
        assert left_in(tmp_path) == {"in.parquet", to}
        assert (tmp_path / to).read_text() == "old"

    @pytest.mark.parametrize("to", ["out.csv", "out.parquet"])
    def test_a_full_disk_leaves_nothing_and_says_so(
        self, model: ServedModel, tmp_path: Path, to: str
    ) -> None:
        source = write(tmp_path / "in.parquet", employees())
        command = [sys.executable, "-m", "churn.cli.main", "score", str(source), "-o", str(tmp_path / to)]
        limit = (20_000, 20_000)  # bytes of any file: what a full disk answers, without filling one

        def small_disk() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)

        command += ["--model", model.tag]
        big = pd.concat([employees()] * 30)
        write(source, big)
        # Without bytecode: Python takes what it could write of a file for whole, and so do later processes.
        env = environment(PYTHONDONTWRITEBYTECODE="1")
        done = subprocess.run(
            command, env=env, preexec_fn=small_disk, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert f"churn: {tmp_path / to} cannot be written: " in done.stderr
        assert "Traceback" not in done.stderr
        assert left_in(tmp_path) == {"in.parquet"}
