"""The docs: the same in English and in French, with links, commands and names that are really there."""

import re
import shlex
from pathlib import Path

import click
import pytest
from pydantic import AliasChoices, AliasPath

from churn.cli.main import main
from churn.core.secret_files import NAMES
from churn.core.settings import Settings
from churn.web.routes import ROUTES
from harness.servers import PROJECT
from tests.support.company import MODELS

ENGLISH = (PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md")))
FRENCH = (PROJECT / "README.fr.md", *sorted(PROJECT.glob("docs/fr/*.md")))
PAGES = tuple(zip(ENGLISH, FRENCH, strict=True))
ALONE = tuple(PROJECT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md"))  # in English only

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(^|\s+)[#;] .*$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# The words of a list or a table are translated; how many there are is not.
SHAPE = re.compile(r"^(#+ |- |\d+\. |\|)", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_of(text: str) -> list[tuple[str, str]]:
    """Return each block of code with its language, without comments."""
    return [(language, COMMENT.sub("", code)) for language, code in FENCE.findall(text)]


def prose_of(text: str) -> str:
    """Return a page without its code and the targets of its links."""
    return re.sub(r"(`+).+?\1(?!`)|\]\([^)]*\)", "", FENCE.sub("", text), flags=re.DOTALL)


def shape_of(text: str) -> list[str]:
    """Return a page's headings by level, entries of lists and rows of tables, in order."""
    return SHAPE.findall(FENCE.sub("", text))


def anchors_of(text: str) -> set[str]:
    """Return what a link can name in a page, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def name_in_environment(name: str) -> str:
    alias: str | AliasPath | AliasChoices | None = Settings.model_fields[name].validation_alias
    return (alias if isinstance(alias, str) else name).upper()


def commands_of(text: str) -> list[list[str]]:
    """Return the words of each command in a page's blocks for the shell, and of those in its sentences."""
    shell = "\n".join(code for language, code in code_of(text) if language == "sh")
    parts = re.split(r"\n|&&", shell.replace("\\\n", " "))
    parts += re.findall(r"`(churn [a-z][^`…]*)`", FENCE.sub("", text))
    return [shlex.split(part) for part in parts if re.search(r"(^|[ /])(churn|make) ", part)]


@pytest.fixture(params=PAGES, ids=[name_of(english) for english, _ in PAGES])
def pair(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    pages: tuple[Path, Path] = request.param
    return pages


@pytest.fixture(params=(*ENGLISH, *FRENCH, *ALONE), ids=name_of)
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_a_page_is_in_both_languages_under_one_name() -> None:
    assert [path.name for path in ENGLISH[1:]] == [path.name for path in FRENCH[1:]]


def test_both_languages_have_the_same_headings_lists_and_tables(pair: tuple[Path, Path]) -> None:
    english, french = map(read, pair)
    assert shape_of(english) == shape_of(french)


def test_both_languages_have_the_same_code(pair: tuple[Path, Path]) -> None:
    english, french = map(read, pair)
    assert code_of(english) == code_of(french)


def test_a_page_begins_with_a_link_to_the_other_language(pair: tuple[Path, Path]) -> None:
    english, french = pair
    for this, other in (pair, (french, english)):
        [target] = LINK.findall(read(this).splitlines()[2])
        assert (this.parent / target).resolve() == other


def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", read(page))):
        target, _, anchor = link.partition("#")
        if not target.startswith("https://"):
            path = (page.parent / target).resolve() if target else page
            assert path.is_file(), link
            assert not anchor or anchor in anchors_of(read(path)), link


def test_a_link_stays_in_its_language(page: Path) -> None:
    others = ENGLISH if page in FRENCH else FRENCH
    for link in LINK.findall("\n".join(read(page).splitlines()[3:])):
        assert (page.parent / link.partition("#")[0]).resolve() not in others, link


def test_its_commands_are_there(page: Path) -> None:
    words = set(re.findall(r"^([a-z-]+):", read(PROJECT / "Makefile"), re.MULTILINE))
    for command in commands_of(read(page)):
        if "make" in command:
            assert {word for word in command[command.index("make") + 1 :] if "=" not in word} <= words
        else:
            check_options(command)


def check_options(command: list[str]) -> None:
    """Check that `churn` has a command, by its words, and that it has each of the options."""
    [start] = [place for place, word in enumerate(command) if word.rpartition("/")[2] == "churn"]
    context = click.Context(main)
    found: click.Command = main
    for word in command[start + 1 :]:
        if isinstance(found, click.Group):
            known = found.get_command(context, word)
            assert known is not None, word
            found = known
    options = {name for parameter in found.params for name in parameter.opts}
    assert {word for word in command[start + 1 :] if word.startswith("-")} <= options


@pytest.mark.parametrize("path", FRENCH, ids=name_of)
def test_french_punctuation_stays_with_its_word(path: Path) -> None:
    assert re.findall(r".* [:;?!»%](?:\s|$)|.*« .*", prose_of(read(path))) == []


@pytest.mark.parametrize("folder", ["docs", "docs/fr"])
class TestLists:
    """What the code has, the docs name."""

    def test_every_setting(self, folder: str) -> None:
        text = read(PROJECT / folder / "running.md")
        names = {name_in_environment(name) for name in Settings.model_fields} | {"CHURN_ENV_FILE", *NAMES}
        assert {name for name in names if f"`{name}`" not in text} == set()

    def test_every_route(self, folder: str) -> None:
        text = read(PROJECT / folder / "api.md")
        served = {
            f"{method} {route.path}"
            for route in ROUTES.routes
            if route.is_documented
            for method in route.methods
        }
        assert {name for name in served if f"`{name}`" not in text} == set()

    def test_every_field(self, folder: str) -> None:
        text = read(PROJECT / folder / "api.md")
        assert {name for name in MODELS.employee.model_fields if f"| `{name}` |" not in text} == set()
