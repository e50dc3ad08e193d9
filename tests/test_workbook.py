"""Excel workbooks: read by what their cells are, or refused by name; never guessed at."""

import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from churn.core.errors import ExtractError
from churn.dictionary.technova import TECHNOVA
from churn.ingest import workbook_package
from churn.ingest.flat import FlatTable
from churn.ingest.rows import Rows
from tests.support.tables import employees, write

SHEET = "xl/worksheets/sheet1.xml"
RAISE = "augmentation_salaire_precedente"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.xlsx"


def written(path: Path, table: pd.DataFrame, change: Callable[[Any], object] = str) -> Path:
    """Write a table as a workbook, changed before it is saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.append(list(table.columns))
    for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
        sheet.append(list(row))
    change(sheet)
    book.save(path)
    return path


def cell(sheet: Any, column: str, row: int) -> Any:
    """Return the cell of a column, by the name in the header, on a row of the sheet."""
    names = [one.value for one in sheet[1]]
    return sheet.cell(row, names.index(column) + 1)


def rows_of(path: Path) -> list[Rows]:
    return list(FlatTable(path, TECHNOVA).batches())


def only(path: Path) -> Rows:
    [rows] = rows_of(path)
    return rows


def refusal(path: Path) -> str:
    with pytest.raises(ExtractError) as caught:
        rows_of(path)
    return str(caught.value)


def test_reads_the_same_as_csv(path: Path, tmp_path: Path) -> None:
    table = employees(50)
    table.to_csv(tmp_path / "in.csv", index=False)
    expected, found = only(tmp_path / "in.csv"), only(written(path, table))
    assert found.employees.to_pylist() == [int(one) for one in expected.employees.to_pylist()]
    assert found.rejected == expected.rejected == 0
    for name, cells in expected.cells.items():
        assert pd.Series(found.cells[name]).equals(pd.Series(cells)), name


def test_a_percentage_is_known_by_its_format(path: Path) -> None:
    def change(sheet: Any) -> None:
        for row, (value, number_format) in enumerate(
            [(0.11, "0%"), (11, "General"), ("11 %", "General"), (1.5, "0.00%"), ("11,5", "General")], 2
        ):
            one = cell(sheet, RAISE, row)
            one.value, one.number_format = value, number_format

    rows = only(written(path, employees(5), change))
    assert rows.cells[RAISE].tolist() == [11, 11, 11, 150, 11.5]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("distance_domicile_travail", date(2025, 4, 3)),
        ("distance_domicile_travail", "#N/A"),
        ("distance_domicile_travail", "3 mi"),
        ("nombre_participation_pee", True),
        ("poste", date(2025, 4, 3)),
        ("revenu_mensuel", "#REF!"),
        ("nombre_participation_pee", 1.5),
    ],
)
def test_what_is_no_value_of_the_field_is_a_reject_at_its_row(path: Path, column: str, value: object) -> None:
    def change(sheet: Any) -> None:
        cell(sheet, column, 4).value = value

    table = FlatTable(written(path, employees(5), change), TECHNOVA)
    [rows] = table.batches()
    [reject] = rows.rejects
    assert (reject.place, reject.column) == (3, column)
    assert list(table.lines([reject.place])) == [4]


def test_numbers_as_text_empty_rows_and_a_wrong_size(path: Path) -> None:
    def change(sheet: Any) -> None:
        cell(sheet, "revenu_mensuel", 3).value = " 2500,5 "
        cell(sheet, "distance_domicile_travail", 3).value = "7"
        sheet.insert_rows(2, 3)
        sheet.cell(40, 3).number_format = "0%"  # a cell that is only formatted

    rows = only(written(path, employees(5), change))
    assert len(rows.numbers) == 5
    assert rows.cells["revenu_mensuel"][1] == 2500.5
    assert rows.cells["distance_domicile_travail"][1] == 7
    text = part(path, SHEET)
    replace_parts(path, {SHEET: re.sub(rb'<dimension ref="[A-Z0-9:]+"', b'<dimension ref="A1:B2"', text)})
    assert len(only(path).numbers) == 5


def test_rows_that_are_too_long_are_rejects(path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.cell(3, 60).value = "a note"

    rows = only(written(path, employees(5), change))
    assert (len(rows.numbers), rows.rejected) == (4, 1)
    assert rows.numbers.tolist() == [1, 3, 4, 5]


def test_the_sheet_with_employees_is_found(path: Path) -> None:
    def change(sheet: Any) -> None:
        for title, state in (("Notes", "visible"), ("Old", "hidden"), ("Older", "veryHidden")):
            other = sheet.parent.create_sheet(title, 0)
            other.sheet_state = state
            other.append(["nothing of ours"] if title == "Notes" else ["age", "poste"])
            other.append([17, "Manager"])

    table = FlatTable(written(path, employees(5), change), TECHNOVA)
    assert [one.sheet for one in table.readings()] == [4]
    assert sum(len(rows.numbers) for rows in table.batches()) == 5


def with_another_sheet(sheet: Any) -> None:
    sheet.parent.create_sheet("More").append(["age", "poste"])


def with_a_formula(sheet: Any) -> None:
    cell(sheet, "revenu_mensuel", 3).value = "=1000+B3"


def with_merged_cells(sheet: Any) -> None:
    sheet.merge_cells("F3:F5")


def with_many_columns(sheet: Any) -> None:
    sheet.cell(1, 2000).value = "a"


def all_hidden(sheet: Any) -> None:
    sheet.parent.create_sheet("Empty")
    sheet.sheet_state = "hidden"


MISREAD: Mapping[str, tuple[Callable[[Any], None], str]] = {
    "another sheet": (with_another_sheet, "one visible sheet of employees, not 2"),
    "a formula": (with_a_formula, "formulas with their values"),
    "merged cells": (with_merged_cells, "no merged cells below the header"),
    "many columns": (with_many_columns, "at most 1000 columns"),
    "all hidden": (all_hidden, "a visible sheet with a header"),
}


@pytest.mark.parametrize("kind", MISREAD)
def test_what_would_be_misread_is_refused(path: Path, kind: str) -> None:
    change, expected = MISREAD[kind]
    assert expected in refusal(written(path, employees(5), change))


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", " #N/A "])
@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".parquet"])
def test_a_failed_formula_is_nobodys_id(tmp_path: Path, suffix: str, error: str) -> None:
    table = employees(5).astype({"employee_id": str})
    table.loc[2, "employee_id"] = error
    path = tmp_path / f"in{suffix}"
    if suffix == ".xlsx":
        written(path, table)
    else:
        write(path, table)
    [rows] = FlatTable(path, TECHNOVA).batches()
    [reject] = rows.rejects
    assert (reject.place, reject.column) == (3, "employee_id")


def test_formulas_with_their_values_are_read(path: Path) -> None:
    written(path, employees(5), with_a_formula)
    text = re.sub(rb"</f><v ?(/>|></v>)", b"</f><v>1234</v>", part(path, SHEET))
    replace_parts(path, {SHEET: text})
    assert only(path).cells["revenu_mensuel"][1] == 1234


def part(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def replace_parts(path: Path, changed: dict[str, bytes]) -> None:
    """Write a workbook again with some of its parts replaced, or added."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | changed).items():
            archive.writestr(name, content)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]>' % b"".join(
    b'<!ENTITY %c "%s">' % (98 + level, (b"&%c;" % (97 + level)) * 10) for level in range(9)
)


def compound(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))


def macros(path: Path) -> None:
    replace_parts(written(path, employees(5)), {"xl/vbaProject.bin": b"x"})


def declared(path: Path, doctype: bytes, entity: bytes) -> None:
    text = part(written(path, employees(5)), SHEET)
    at = text.index(b"<worksheet")
    replace_parts(path, {SHEET: text[:at] + doctype + text[at:].replace(b">M<", b">" + entity + b"<", 1)})


def cut(path: Path) -> None:
    path.write_bytes(written(path, employees(5)).read_bytes()[:3000])


def renamed(path: Path, tag: bytes, other: bytes) -> None:
    text = part(written(path, employees(5)), SHEET)
    assert tag in text
    replace_parts(path, {SHEET: text.replace(tag, other)})


def far_away(attributes: bytes) -> tuple[Callable[[Path], object], str]:
    """Return a workbook with a cell whose name the reader of the cells finds where a search may not."""
    return partial(renamed, tag=b'<c r="B3"', other=b"<c " + attributes), "at most 1000 columns"


EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
HOSTILE: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "compound": (compound, "without a password"),
    "no zip": (lambda path: path.write_bytes(b"age;poste\n1;2\n"), "a readable .xlsx file"),
    "empty": (lambda path: path.write_bytes(b""), "a readable .xlsx file"),
    "cut": (cut, "a readable .xlsx file"),
    "macros": (macros, "without macros"),
    "entities": (partial(declared, doctype=BOMB, entity=b"&j;"), "a readable .xlsx file"),
    "external": (partial(declared, doctype=EXTERNAL, entity=b"&a;"), "a readable .xlsx file"),
    "far below": (partial(renamed, tag=b'<row r="3"', other=b'<row r="99999999"'), "rows"),
    "far away, quoted": far_away(b"r='XFD1048576'"),
    "far away, behind another": far_away(b"""x=' r="A1"' r="XFD1048576\""""),
    "far away, behind a bracket": far_away(b'x=">" r="XFD1048576"'),
    "far away, in small letters": far_away(b'r="xfd1048576"'),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_in_a_sentence(path: Path, kind: str) -> None:
    make, expected = HOSTILE[kind]
    make(path)
    sentence = refusal(path)
    assert expected in sentence
    assert "root:" not in sentence


def test_what_unpacks_to_too_much_is_not_unpacked(path: Path) -> None:
    replace_parts(written(path, employees(5)), {"xl/media/image.png": bytes(300 * 1024**2)})
    assert path.stat().st_size < 1024**2
    assert "unpacked it is too large" in refusal(path)


def test_titles_are_passed_over_and_hidden_rows_are_told(path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.insert_rows(1, 3)
        sheet["B1"] = "Export of 31/10"
        sheet.merge_cells("B1:F1")
        sheet.row_dimensions[6].hidden = True
        sheet.column_dimensions["C"].hidden = True

    table = FlatTable(written(path, employees(5), change), TECHNOVA)
    assert sum(len(rows.numbers) for rows in table.batches()) == 5
    assert table.notices[:2] == [
        "3 lines above the header passed over",
        "read too: 1 hidden row and 1 hidden column",
    ]


def test_percentages_are_known_however_the_cells_are_written(path: Path) -> None:
    def change(sheet: Any) -> None:
        for row in range(2, 7):
            one = cell(sheet, RAISE, row)
            one.value, one.number_format = 1.5, '0.0" "%'

    text = part(written(path, employees(5), change), SHEET)
    turned = re.sub(rb'<c r="([A-Z]+[0-9]+)" s="([0-9]+)"', rb"<c s='\2' r='\1'", text)
    assert turned != text
    replace_parts(path, {SHEET: turned})
    assert only(path).cells[RAISE].tolist() == [150] * 5


def test_a_sheet_whose_cells_are_far_apart_is_not_held(path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.cell(1_000_000, 900).value = "a note"

    assert "a smaller workbook" in refusal(written(path, employees(5), change))


def test_prefixed_elements_are_read(path: Path) -> None:
    def change(sheet: Any) -> None:
        cell(sheet, "employee_id", 3).value = "#N/A"
        for row in (2, 3):
            one = cell(sheet, RAISE, row)
            one.value, one.number_format = 1.5, "0%"

    text = part(written(path, employees(5), change), SHEET)
    prefixed = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", text).replace(
        b"<x:worksheet xmlns=", b"<x:worksheet xmlns:x="
    )
    replace_parts(path, {SHEET: prefixed})
    rows = only(path)
    assert (rows.cells[RAISE][0], [reject.column for reject in rows.rejects]) == (150, ["employee_id"])


def test_cells_may_have_no_names(path: Path) -> None:
    text = part(written(path, employees(5)), SHEET)
    replace_parts(path, {SHEET: re.sub(rb' r="[A-Z]*[0-9]+"', b"", text)})
    assert sum(len(rows.numbers) for rows in FlatTable(path, TECHNOVA).batches()) == 5


def test_a_sheet_may_have_as_many_rows_as_it_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(path, employees(20))
    monkeypatch.setattr(workbook_package, "MAX_ROWS", 21)
    assert len(only(path).numbers) == 20
    monkeypatch.setattr(workbook_package, "MAX_ROWS", 20)
    assert "at most 20 rows" in refusal(path)
