"""What a model learns from: the options that name it, and the value that they make."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from churn.cli.company import DICTIONARY
from churn.cli.number_options import notation_options, separator
from churn.core.settings import load
from churn.dictionary import dictionary_file
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.plain_dictionary import to_document
from churn.ingest.archive import unpacked
from churn.ingest.mark import Mark
from churn.model.served_dictionary import dictionary_of

if TYPE_CHECKING:
    import pandas as pd

Tell = Callable[[str], object]

SAMPLE_ROWS = 1500


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Employees with the target, the dictionary of their fields, and a digest of what was read.

    `journal` says what was taken of the journal, where they come from there; a sample `is_sample`.
    """

    employees: "pd.DataFrame"
    dictionary: Dictionary
    fingerprint: str
    is_sample: bool = False
    journal: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where to learn: a folder of extracts or a file (None: the embedded sample), and how to read it.

    `thousands` is what parts thousands in it, `ignore` are columns of a file to pass over.
    """

    data: Path | None = None
    thousands: Mark | None = None
    dictionary: Dictionary = DICTIONARY
    ignore: Sequence[str] = ()

    @contextmanager
    def unpacked(self) -> Iterator["Source"]:
        """Yield the source with what its archive holds, where it is one.

        Raises:
            ExtractError: the archive cannot be used.
        """
        if self.data is None:
            yield self
            return
        with unpacked(self.data) as path:
            yield replace(self, data=path)

    def read(self, tell: Tell) -> TrainingData:
        """Return the employees, and tell how they are read.

        Raises:
            ExtractError, DictionaryError: the data cannot be used; the message lists why.
        """
        from churn.ingest import labelled, learned_categories  # noqa: PLC0415 - as in `is_of`

        path = self.data or embedded_sample()
        dictionary = learned_categories.learn(path, self.dictionary, tell=tell)
        employees = labelled.read_labelled(
            path, dictionary, ignore=self.ignore, thousands=self.thousands, tell=tell
        )
        digest = labelled.fingerprint(path, dictionary, self.thousands)
        return TrainingData(employees, dictionary, digest, is_sample=self.data is None)

    def is_of(self, tag: str, facts: Mapping[str, Any]) -> bool:
        """Return whether a model, with these metadata, learned from this; any did where no data are named.

        Raises:
            ExtractError, DictionaryError: the data cannot be read, or not by the dictionary.
        """
        if self.data is None:
            return True
        # Imported here: they bring pandas, for which only who names data need wait.
        from churn.ingest import labelled, learned_categories  # noqa: PLC0415

        if facts.get("data_fingerprint") != labelled.fingerprint(self.data, self.dictionary, self.thousands):
            return False
        its = dictionary_of(tag, DICTIONARY)
        wanted = learned_categories.learn(self.data, self.dictionary)
        return its is not None and to_document(its) == to_document(wanted)


def embedded_sample() -> Path:
    """Return the folder of the sample extracts, written beside the model store if not there yet."""
    from churn.model.sample import write_sample  # noqa: PLC0415 - as in `Source.is_of`

    directory = load().bentoml_home / "sample"
    if not (directory / "extrait_sondage.csv").exists():
        directory.mkdir(parents=True, exist_ok=True)
        write_sample(directory, rows=SAMPLE_ROWS)
    return directory


_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="A file with a row for each employee, or the folder of the dictionary's sources: without one, of "
    "extrait_sirh, extrait_eval and extrait_sondage. CSV, Excel, .ods or Parquet.  "
    "[default: the embedded sample]",
)
_DICTIONARY = click.option(
    "--dictionary",
    "named",
    metavar="NAME|FILE",
    help="What the data hold: ibm, or a .toml file; its own sources are read.  [default: technova]",
)
_IGNORE = click.option(
    "--ignore-column", "ignore", multiple=True, metavar="NAME", help="A column of one file to pass over."
)


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name what to learn from, as the argument `source`."""

    @wraps(command)
    def with_source(
        data: Path | None,
        named: str | None,
        ignore: Sequence[str],
        decimal: Mark | None,
        thousands: Mark | None,
        **others: Any,
    ) -> None:
        command(source=source_of(data, named, separator(decimal, thousands), ignore), **others)

    return _DATA(_DICTIONARY(_IGNORE(notation_options(with_source))))


def as_options(params: Mapping[str, Any]) -> list[str]:
    """Return the options of `source_options` as somebody gave them; `params` are click's."""
    names = {"data": "--data", "named": "--dictionary", "decimal": "--decimal", "thousands": "--thousands"}
    given = [(option, params[name]) for name, option in names.items() if params[name] is not None]
    given += [("--ignore-column", column) for column in params["ignore"]]
    return [str(part) for pair in given for part in pair]


def source_of(
    data: Path | None, named: str | None, thousands: Mark | None, ignore: Sequence[str] = ()
) -> Source:
    """Return the source that options name.

    Raises:
        click.UsageError: a dictionary without data.
        DictionaryError: there is no such dictionary, or it cannot be used.
    """
    if named is not None and data is None:
        raise click.UsageError("--dictionary needs --data: the embedded sample is TechnoVa's")
    dictionary = DICTIONARY if named is None else dictionary_file.find(named)
    return Source(data, thousands, dictionary, ignore)
