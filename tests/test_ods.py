"""OpenDocument spreadsheets: read by what their cells are; hostile ones are refused in a sentence."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from churn.core.errors import ExtractError
from churn.dictionary.technova import TECHNOVA
from churn.ingest.flat import FlatTable
from churn.ingest.ods_reader import OdsReader
from churn.ingest.rows import Rows
from tests.support.ods import cell, document, packed, percentage, row, rows_of, sheet, typed, written
from tests.support.tables import employees

RAISE = "augmentation_salaire_precedente"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.ods"


def only(path: Path) -> Rows:
    [rows] = FlatTable(path, TECHNOVA).batches()
    return rows


def refusal(path: Path) -> str:
    with pytest.raises(ExtractError) as caught:
        only(path)
    return str(caught.value)


def columns(path: Path) -> dict[str, list[object]]:
    """Return the cells below the header, by name, with what nobody knows of them."""
    reader = OdsReader(path, TECHNOVA)
    [batch] = reader.batches()
    return {name: column.to_pylist() for name, column in zip(reader.names, batch.columns, strict=True)}


def test_reads_the_same_as_csv(path: Path, tmp_path: Path) -> None:
    table = employees(50)
    table.to_csv(tmp_path / "in.csv", index=False)
    expected, found = only(tmp_path / "in.csv"), only(written(path, table))
    assert found.employees.to_pylist() == [int(one) for one in expected.employees.to_pylist()]
    assert found.rejected == expected.rejected == 0
    for name, cells in expected.cells.items():
        assert pd.Series(found.cells[name]).equals(pd.Series(cells)), name


def test_another_library_reads_the_same_cells(path: Path) -> None:
    table = employees(20)
    [header, *rows] = CalamineWorkbook.from_path(written(path, table)).get_sheet_by_index(0).to_python()
    found = columns(path)
    assert list(found) == header
    for place, name in enumerate(header):
        assert ["" if one is None else one for one in found[str(name)]] == [line[place] for line in rows], (
            name
        )


def test_each_cell_is_what_it_says(path: Path) -> None:
    cells = {
        "percent": percentage(0.11),
        "boolean": typed("boolean", 'office:boolean-value="true"', "VRAI"),
        "day": typed("date", 'office:date-value="2020-02-01"', "01/02/2020"),
        "duration": typed("time", 'office:time-value="PT26H00M00S"', "26:00:00"),
        "pay": typed("currency", 'office:value="1234.5"', "1 234,50 €"),
        "text": typed("string", "", "two\nlines"),
        "spaces": typed("string", "", "a b").replace(" b", '<text:s text:c="3"/>b'),
        "noted": typed("string", "", "kept").replace(
            "<text:p>", "<office:annotation><text:p>a note</text:p></office:annotation><text:p>", 1
        ),
        "failed": typed("string", 'office:string-value=""', "#DIV/0!", ' table:formula="of:=1/0"'),
    }
    packed(path, document([sheet([row([cell(name) for name in cells]), row(list(cells.values()))])]))
    found = {name: value for name, [value] in columns(path).items()}
    assert found == {
        "percent": 0.11,
        "boolean": "TRUE",
        "day": "2020-02-01",
        "duration": "26:00:00",
        "pay": 1234.5,
        "text": "two\nlines",
        "spaces": "a   b",
        "noted": "kept",
        "failed": "#DIV/0!",
    }


def test_a_percentage_of_a_field_of_percentages_is_known(path: Path) -> None:
    table = employees(3).astype({RAISE: object})
    rows = rows_of(table)
    place = list(table.columns).index(RAISE)
    for number, value in ((1, percentage(0.12)), (2, cell("13 %")), (3, percentage(1.5))):
        values = [cell(one) for one in table.iloc[number - 1]]
        values[place] = value
        rows[number] = row(values)
    packed(path, document([sheet(rows)]))
    assert only(path).cells[RAISE].tolist() == [12, 13, 150]


def test_repeated_rows_and_cells_count_and_empty_ones_do_not(path: Path) -> None:
    header, first = rows_of(employees(1))
    again = first.replace("<table:table-row", '<table:table-row table:number-rows-repeated="3"')
    empty = row([cell(number_columns_repeated=16_384)], number_rows_repeated=1000)
    packed(path, document([sheet([header, again, empty, first])]))
    rows = only(path)
    assert (len(rows.numbers), rows.rejected) == (4, 0)
    reader = OdsReader(path, TECHNOVA)
    assert list(reader.lines()) == [2, 3, 4, 1005]


def test_the_sheet_with_employees_is_found_or_named(path: Path) -> None:
    table = rows_of(employees(4))
    notes = sheet([row([cell("Exported on Monday")])], "Notes")
    two = [notes, sheet(table, "Staff"), sheet(table[:3], "Former", style="hidden")]
    packed(path, document(two))
    assert len(only(path).numbers) == 4
    [rows] = FlatTable(path, TECHNOVA, sheet="Former").batches()
    assert len(rows.numbers) == 2
    with pytest.raises(ExtractError, match="one of its sheets: Notes, Staff, Former"):
        FlatTable(path, TECHNOVA, sheet="staff")
    packed(path, document([sheet(table, "A"), sheet(table, "B")]))
    assert "one visible sheet of employees, not 2" in refusal(path)


def test_titles_are_passed_over_and_hidden_rows_are_told(path: Path) -> None:
    header, first, second = rows_of(employees(2))
    hidden = first.replace("<table:table-row", '<table:table-row table:visibility="filter"')
    title = row([cell("Export", number_columns_spanned=5), cell()])
    packed(path, document([sheet([title, row([cell()]), header, hidden, second])]))
    table = FlatTable(path, TECHNOVA)
    assert sum(len(rows.numbers) for rows in table.batches()) == 2
    assert table.notices[:2] == ["2 lines above the header passed over", "read too: 1 hidden row"]


def one_more(line: str) -> str:
    return document([sheet([*rows_of(employees(5)), line])])


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9)
)
EMPTY = document([])
HOSTILE: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "repeated rows": (lambda p: packed(p, one_more(row([cell("x")], number_rows_repeated=10**9))), "rows"),
    "far below": (
        lambda p: packed(
            p, document([sheet([row([cell()], number_rows_repeated=10**12), *rows_of(employees(2))])])
        ),
        "at most 1048576 rows",
    ),
    "repeated cells": (
        lambda p: packed(p, one_more(row([cell("x", number_columns_repeated=10**12)]))),
        "at most 1000 columns",
    ),
    "both": (
        lambda p: packed(
            p, one_more(row([cell("x", number_columns_repeated=900)], number_rows_repeated=10**6))
        ),
        "unpacked it is too large",
    ),
    "no number": (lambda p: packed(p, one_more(row([cell()], number_rows_repeated="many"))), "readable .ods"),
    "many elements": (lambda p: packed(p, one_more(row([cell()] * 200_000))), "unpacked it is too large"),
    "spaces": (lambda p: packed(p, one_more('<text:s text:c="99999999999"/>' * 200_000)), "too large"),
    "entities": (lambda p: packed(p, document([], BOMB + "]>").replace("</office:body>", "&j;")), "DOCTYPE"),
    "external": (
        lambda p: packed(p, document([], '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>')),
        "DOCTYPE",
    ),
    "password": (
        lambda p: packed(p, EMPTY, {"META-INF/manifest.xml": "<manifest:encryption-data/>"}),
        "password",
    ),
    "macros": (lambda p: packed(p, EMPTY, {"Basic/Standard/Module1.xml": "x"}), "without macros"),
    "no sheet": (lambda p: packed(p, EMPTY), "a visible sheet with a header"),
    "cut": (lambda p: packed(p, EMPTY[:-40]), "a readable .ods file (ParseError)"),
    "cut archive": (
        lambda p: p.write_bytes(written(p, employees(5)).read_bytes()[:600]),
        "a readable .ods file",
    ),
    "merged": (
        lambda p: packed(p, one_more(row([cell("x", number_rows_spanned=2)]))),
        "no merged cells below the header",
    ),
    "no value": (
        lambda p: packed(p, one_more(row([cell(formula="of:=A1+1")]))),
        "formulas with their values",
    ),
    "wide": (
        lambda p: packed(p, document([sheet([row([cell("a")] * 1001)])])),
        "at most 1000 columns",
    ),
    "many sheets": (
        lambda p: packed(p, document([sheet([row([cell("a")])], str(one)) for one in range(101)])),
        "at most 100 sheets",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_in_a_sentence(path: Path, kind: str) -> None:
    make, expected = HOSTILE[kind]
    make(path)
    assert path.stat().st_size < 1024**2
    assert expected in refusal(path)


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", employees(3))
    assert len(only(path).numbers) == 3
