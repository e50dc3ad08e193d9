"""A dictionary as a file: `churn dictionary check`, `show` and `diff`, and what they refuse, line by line."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from churn.cli.main import main
from churn.dictionary import dictionary_file, embedded_files
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.plain_dictionary import from_document, to_document
from churn.dictionary.technova import TECHNOVA
from harness.servers import PROJECT

COMPANY = """\
format = 1
name = "nordwind"
audited = ["gender"]

[fields.gender]
kind = "category"
role = "protected"
labels = { de = "Geschlecht", en = "Sex" }
categories = ["w", "m"]

[fields.salary]
kind = "number"
role = "core"
minimum = 0
maximum = 20000
reason = { en = "no more is paid" }
unit = "CHF"

[fields.team]
kind = "category"
categories = [
  "sea",
  "shore",
]
value_labels = { sea = { fr = "À bord", en = "At sea" } }
value_aliases = { shore = ["land"] }

[fields.hired]
kind = "date"
reference = 2026-06-30
date_format = "%d/%m/%Y"

[fields.gone]
kind = "yes/no"
role = "target"
positive = "Yes"

[levers.salary]
step = 100

[examples.leaver]
salary = 5000
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["dictionary", *arguments], catch_exceptions=False)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    path = tmp_path / "company.toml"
    path.write_text(COMPANY, encoding="utf-8")
    return path


def refused(path: Path, text: str | bytes) -> list[tuple[int, str]]:
    """Return the lines and the sentences of what `churn dictionary check` says of a file."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run("check", str(path))
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    return [
        (int(line), sentence)
        for line, sentence in re.findall(r"^  company\.toml:(\d+): (.*)$", done.output, flags=re.MULTILINE)
    ]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


# What is changed in the file, the line that is named, and the sentence's essence and mend.
CONTRADICTIONS: dict[str, tuple[str, str, str, str]] = {
    "unknown kind": ('kind = "number"', 'kind = "amount"', 'kind = "amount"', "expected 'number', 'integer'"),
    "unknown key": ("maximum = 20000", "maximun = 20000", "maximun", "'maximum' is meant"),
    "text for a number": ("minimum = 0", 'minimum = "0"', 'minimum = "0"', "a number, without quotes"),
    "upside down": ("maximum = 20000", "maximum = -1", "maximum = -1", "exchange minimum and maximum"),
    "two of a name": ("[fields.team]", '[fields.team]\naliases = ["Salary"]', "aliases", "also names salary"),
    "two tables": ("[fields.team]", "[fields.salary]", '[fields.salary]\nkind = "cat', "only once"),
    "lever of no field": ("[levers.salary]", "[levers.pay]", "[levers.pay]", "is no field"),
    "lever of a protected field": (
        "[levers.salary]\nstep = 100",
        '[levers.gender]\norder = ["w", "m"]',
        "[levers.gender]",
        "role 'protected': an employer does not change it",
    ),
    "lever without a step": ("step = 100", "step = 0", "[levers.salary]", "say step"),
    "positive of no category": ('positive = "Yes"', 'positive = "gone"', 'positive = "gone"', "Yes, No"),
    "no positive": ('positive = "Yes"', "", "[fields.gone]", "no positive value: say which"),
    "no target": ('role = "target"\npositive = "Yes"', "", "[fields.gender]", 'role = "target"'),
    "two targets": (
        "[fields.salary]\n",
        '[fields.left]\nkind = "yes/no"\nrole = "target"\npositive = "Yes"\n[fields.salary]\n',
        'role = "target"\npositive = "Yes"\n\n[levers',
        "left is the target already",
    ),
    "identifier by another name": (
        "[fields.salary]\n",
        '[fields.badge]\nrole = "identifier"\n[fields.salary]\n',
        "[fields.badge]",
        '[fields.employee_id] with aliases = ["badge"]',
    ),
    "two identifiers": (
        "[fields.salary]\n",
        '[fields.employee_id]\nrole = "identifier"\n[fields.badge]\nrole = "identifier"\n[fields.salary]\n',
        'role = "identifier"\n[fields.salary]',
        "employee_id is the identifier already",
    ),
    "implausible of a category": (
        "[levers.salary]",
        '[[implausible]]\nsmaller = "team"\nlarger = "salary"\n[levers.salary]',
        "smaller",
        "'team' is no number",
    ),
    "pattern without id": (
        "[fields.gender]\n",
        '[sources.nordwind]\nfile = "crew"\nid_column = "who"\nid = "E_"\n[fields.gender]\n',
        'id = "E_"',
        'end it with {id}, as in "E_{id}"',
    ),
    "source that is none": (
        "[fields.gender]\n",
        '[sources.crew]\nfile = "crew"\nid_column = "who"\n[fields.gender]\nsource = "pay"\n',
        'source = "pay"',
        "'pay' is no source: expected crew",
    ),
    "newer format": ("format = 1", "format = 2", "format = 2", "install a newer churn"),
    "no format": ("format = 1\n", "", "name", "'format' is missing"),
    "categories alike": ('"shore",\n', '"shore",\n  "Shore",\n', "categories = [\n", "is read as 'shore'"),
    "one category": ('["w", "m"]', '["w"]', 'categories = ["w"]', "2 to 100 values"),
    "label of no category": ("{ sea = {", "{ see = {", "value_labels", "'see' is none of the categories"),
    "alias of another value": ('["land"]', '["SEA"]', "value_aliases", "'SEA' is 'sea' already"),
    "unit of a category": ('["w", "m"]', '["w", "m"]\nunit = "kg"', 'unit = "kg"', "has no unit"),
    "number by groups": ('["gender"]', '["salary"]', "audited", "fairness is measured by groups"),
    "example without core": ("salary = 5000", 'team = "sea"', "[examples.leaver]", "salary is core"),
    "example out of range": ("salary = 5000", "salary = -5", "salary = -5", "from 0 to 20000"),
    "example after its reference": (
        "salary = 5000",
        "salary = 5000\nhired = 2027-01-15",
        "hired = 2027",
        "a date so many years before the reference: from 0",
    ),
    "date without a day": ("reference = 2026-06-30\n", "", "[fields.hired]", "say reference"),
    "name with a space": (
        "[fields.team]",
        '[fields."my team"]',
        '[fields."my team"]',
        'aliases = ["my team"]',
    ),
    "name of pydantic's": ("[fields.team]", "[fields.copy]", "[fields.copy]", "copy_of_employee"),
    "unclosed text": ('name = "nordwind"', 'name = "nordwind', "name = ", "this is not TOML"),
    "language": ("{ de =", "{ German =", "labels", "languages by their codes"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_its_line_and_its_mend(case: str, company: Path) -> None:
    old, new, place, sentence = CONTRADICTIONS[case]
    assert old in COMPANY
    text = COMPANY.replace(old, new, 1)
    found = refused(company, text)
    assert [line for line, said in found if sentence in said] == [line_of(text, place)], found


def test_all_problems_are_listed_at_once_by_line(company: Path) -> None:
    text = COMPANY.replace("maximum = 20000", "maximum = -1").replace("[levers.salary]", "[levers.pay]")
    found = refused(company, text)
    assert [line for line, _ in found] == [
        line_of(text, part) for part in ("maximum", "[levers.pay]", "salary = 5000")
    ]


def test_what_is_no_text_is_refused(company: Path) -> None:
    assert refused(company, COMPANY.encode("utf-16"))[0][1].startswith("this is no text in UTF-8")
    assert refused(company, COMPANY.encode().replace(b"w", b"\xe9", 1))[0][0] == 2
    done = run("check", str(company.with_name("absent.toml")))
    assert (done.exit_code, "cannot be read" in done.output) == (1, True)
    done = run("show", "nordwind")
    assert "no dictionary 'nordwind': expected technova or ibm" in done.output


def test_a_byte_order_mark_and_windows_lines_are_read(company: Path) -> None:
    company.write_bytes(b"\xef\xbb\xbf" + COMPANY.replace("\n", "\r\n").encode())
    assert run("check", str(company)).exit_code == 0


def test_a_sound_file_is_read(company: Path) -> None:
    assert "'nordwind' is sound: 3 fields to learn from, 1 protected, 1 that have" in run(
        "check", str(company)
    ).output.replace("\n", " ")
    dictionary = dictionary_file.read(company)
    assert dictionary.identifier.name == "employee_id"
    gender, team = dictionary.by_name["gender"], dictionary.by_name["team"]
    assert dictionary.names.field_of("Geschlecht") is gender
    assert (gender.label("fr"), gender.label("en")) == ("gender", "Sex")
    assert (team.role, team.category("Land"), team.value_label("sea", "fr")) == (
        "optional",
        "shore",
        "À bord",
    )
    assert dictionary.target.category("oui") == dictionary.left == "Yes"
    assert [extract.constant_columns for extract in dictionary.extracts] == [()]


@pytest.mark.parametrize("name", embedded_files.NAMES)
def test_what_is_embedded_is_sound(name: str) -> None:
    done = run("check", str(embedded_files.path_of(name)))
    assert done.exit_code == 0, done.output
    assert f"{name!r} is sound" in done.output


@pytest.mark.parametrize("page", ["docs/dictionary.md", "docs/fr/dictionary.md"])
def test_the_example_of_the_docs_is_sound(page: str, company: Path) -> None:
    first, sources = re.findall(
        r"^```toml\n(.*?)^```", (PROJECT / page).read_text("utf-8"), flags=re.M | re.S
    )
    company.write_text(first, encoding="utf-8")
    assert run("check", str(company)).exit_code == 0
    fields = re.sub(r"^(\[fields\..*)$", r'\1\nsource = "people"', first, flags=re.M)
    company.write_text(f"{fields}\n{sources}", encoding="utf-8")
    assert run("check", str(company)).exit_code == 0


@pytest.mark.parametrize("dictionary", [TECHNOVA, embedded_files.load("ibm")], ids=lambda known: known.name)
def test_a_dictionary_comes_back_from_its_document(dictionary: Dictionary) -> None:
    again = from_document(to_document(dictionary))
    for name in dictionary.__dataclass_fields__:
        assert getattr(again, name) == getattr(dictionary, name)


class TestShow:
    @pytest.mark.parametrize("name", embedded_files.NAMES)
    def test_a_table_of_80_columns_has_every_field(self, name: str) -> None:
        shown = run("show", name, "--language", "en").output
        assert max(map(len, shown.splitlines())) <= 80
        assert {line[-1] for line in shown.splitlines() if line[0] in "│├┃┏┡└"} == set("│┤┃┓┩┘")
        flat = re.sub(r"[\s│]+", " ", shown)
        for field in embedded_files.load(name).fields:
            assert field.name in flat
            assert field.role in flat

    def test_says_ranges_categories_and_what_is_predicted(self, company: Path) -> None:
        shown = run("show", str(company), "--language", "en").output
        assert "predicts gone = Yes" in shown
        assert "Yes (left), No" in shown
        assert "a date, such as 31/03/2019" in shown
        assert "a number from 0 to 20,000" in shown
        assert "(no more is paid)" in shown

    def test_prints_the_file_to_start_from(self, company: Path) -> None:
        company.write_text(run("show", "ibm", "--toml").output, encoding="utf-8")
        assert run("check", str(company)).exit_code == 0


class TestDiff:
    def diff(self, company: Path, *changes: tuple[str, str]) -> str:
        text = COMPANY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        other = company.with_name("other.toml")
        other.write_text(text, encoding="utf-8")
        done = run("diff", str(company), str(other))
        assert done.exit_code == 0
        assert max(map(len, done.output.splitlines())) <= 80
        rows: list[list[str]] = []
        for line in done.output.splitlines():
            cells = [cell.strip() for cell in line.split("│")[1:-1]]
            if cells and cells[0]:
                rows.append(cells)
            elif cells:
                rows[-1] = [f"{old} {new}".strip() for old, new in zip(rows[-1], cells, strict=True)]
        return "\n".join(": ".join(row) for row in rows) or done.output

    def test_of_the_same_says_so(self, company: Path) -> None:
        assert self.diff(company) == "nothing differs\n"

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('"shore",\n', "", "team: without shore: a request with such a value is refused"),
            ('"shore",\n', '"shore",\n"air",', "team: with air: a request may have such a value"),
            (
                "maximum = 20000",
                "maximum = 9000",
                "salary: from 0 to 9000, not 0 to 20000: a request outside",
            ),
            (
                'role = "core"',
                'role = "optional"',
                "salary: core becomes optional: a request may leave it out",
            ),
            (
                "[fields.team]\n",
                '[fields.team]\nrole = "core"\n',
                "team: optional becomes core: a request has",
            ),
            ('unit = "CHF"', 'unit = "€"', "salary: the unit is €, not CHF: the same number means something"),
            ("step = 100", "step = 50", "salary: another lever: /what_if suggests other changes"),
            ('en = "Sex"', 'en = "Gender"', "gender: other labels: reasons read otherwise"),
        ],
    )
    def test_says_what_changes_for_the_api(self, old: str, new: str, expected: str, company: Path) -> None:
        change = [(old, new)]
        if '"shore",\n' in old and not new:
            change = [('"shore",\n', '"land",\n'), ('value_aliases = { shore = ["land"] }', "")]
        if 'role = "core"' in new:
            change.append(("salary = 5000", 'salary = 5000\nteam = "sea"'))
        assert expected in self.diff(company, *change)

    def test_a_field_that_comes_goes_or_has_another_name(self, company: Path) -> None:
        told = self.diff(
            company,
            ("[fields.team]", '[fields.crew]\naliases = ["team"]'),
            ("[fields.hired]", "[fields.tenure]"),
        )
        assert "team: is called crew: still accepted; answers say crew" in told
        assert "hired: is gone: a request that holds it is refused" in told
        assert "tenure: is new (optional, date): a request may hold it" in told
