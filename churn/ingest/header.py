"""The header of a file: which field each of its columns stands for, whatever its spelling."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from churn.core.errors import Problem
from churn.dictionary.dictionary import Dictionary, Extract
from churn.dictionary.folding import fold_name
from churn.i18n import file_sentences, reading_sentences
from churn.ingest.findings import Findings

_UNKNOWN = ""  # no name is empty
_UNNAMED = re.compile(r"(unnamed:_\d+|index_level_\d+)?")  # as pandas calls those that have none


@dataclass(frozen=True, slots=True)
class Expected:
    """What a header may and must have.

    `fields` are those of the dictionary; `meanings` are what folded names stand for: a field or another
    column that may be there once, or None where columns are passed over; `required` are the fields that must
    be there, each with the name of its column; `explain` says what was expected instead of any other name.
    """

    fields: Collection[str]
    meanings: Mapping[str, str | None]
    required: Mapping[str, str]
    explain: Callable[[str], str]


def match(header: Sequence[str], file: str, findings: Findings, expected: Expected) -> dict[str, int]:
    """Return the position of each field's column, by canonical name.

    Unknown, repeated and absent columns are added to `findings`, and what to do if the whole file is another
    company's. Columns without a name, as an index that
    was saved with a table, are passed over with a notice.
    """
    positions: dict[str, int] = {}
    named = _named(header, file, findings)
    if foreign := _foreign([spelling for _, spelling in named], expected):
        findings.add(Problem(file, 1, None, None, file_sentences.columns_of_ours(foreign, len(named))))
    for position, spelling in named:
        folded = fold_name(spelling)
        if folded not in expected.meanings:
            findings.add(Problem(file, 1, spelling, None, expected.explain(spelling)))
        elif (name := expected.meanings[folded]) in positions:
            once = file_sentences.one_column(name, header[positions[name]])
            findings.add(Problem(file, 1, spelling, None, once))
        elif name is not None:
            positions[name] = position
    for name, column in expected.required.items():
        if name not in positions:
            findings.add(Problem(file, 1, column, None, file_sentences.THIS_COLUMN))
    return {name: position for name, position in positions.items() if name in expected.fields}


def _foreign(spellings: Sequence[str], expected: Expected) -> int:
    """Return how many columns are unknown if they are most of them, and some that must be there are not."""
    meant = [expected.meanings.get(name, _UNKNOWN) for name in map(fold_name, spellings)]
    unknown = meant.count(_UNKNOWN)
    return unknown if 2 * unknown > len(meant) and not set(expected.required) <= set(meant) else 0


def _named(header: Sequence[str], file: str, findings: Findings) -> list[tuple[int, str]]:
    """Return the columns that have a name, with their positions; a notice says which have none."""
    unnamed = {position for position, name in enumerate(header) if _UNNAMED.fullmatch(fold_name(name))}
    if unnamed:
        notice = reading_sentences.unnamed([position + 1 for position in sorted(unnamed)])
        findings.notices.append(file_sentences.in_file(file, notice))
    return [(position, name) for position, name in enumerate(header) if position not in unnamed]


def of_flat_file(dictionary: Dictionary, *, labelled: bool, ignore: Collection[str] = ()) -> Expected:
    """Return what a table of whole employees has: the core fields, and the target where it is `labelled`.

    An unknown name is a problem, unless it is one to `ignore`: a misspelt optional field must not become
    an unknown one.
    """
    names = dictionary.names
    ignored = dict.fromkeys([*names.passed_over, *map(fold_name, ignore)])
    required = (*dictionary.core, dictionary.target) if labelled else dictionary.core
    return Expected(
        dictionary.by_name,
        {folded: field.name for folded, field in names.by_spelling.items()} | ignored,
        {field.name: field.name for field in required},
        lambda name: file_sentences.unknown_column(names.meant(name)),
    )


def of_extract(dictionary: Dictionary, extract: Extract, dispensable: Collection[str] = ()) -> Expected:
    """Return what one extract has: its own fields, all but the `dispensable` ones, and the identifier."""
    identifier = dictionary.identifier
    own = [field.name for field in dictionary.fields if field.extract == extract.name or field is identifier]
    columns = {name: name for name in own} | {identifier.name: extract.id_column}
    by_spelling = dictionary.names.by_spelling
    return Expected(
        dictionary.by_name,
        {folded: field.name for folded, field in by_spelling.items() if field.name in own}
        | {fold_name(extract.id_column): identifier.name}
        | {fold_name(name): name for name in extract.constant_columns},
        {name: column for name, column in columns.items() if name not in dispensable},
        lambda name: _explain_foreign(dictionary, name),
    )


def _explain_foreign(dictionary: Dictionary, name: str) -> str:
    for extract in dictionary.extracts:
        if fold_name(name) in of_extract(dictionary, extract).meanings:
            return file_sentences.of_another_extract(extract.name)
    return file_sentences.unknown_name(dictionary.names.meant(name))
