"""The categories of fields whose dictionary leaves them to the training data."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.errors import DictionaryError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.dictionary.field_contradictions import MOST_CATEGORIES
from churn.dictionary.folding import fold_value
from churn.ingest import extracts
from churn.ingest.columns import as_text
from churn.ingest.reader import open_reader


def learn(path: Path, dictionary: Dictionary, *, tell: Callable[[str], object] = str) -> Dictionary:
    """Return the dictionary with the categories of training data: a flat file, or a folder of extracts.

    A value of fewer people than the field asks for counts as its bucket for others, and so does any value
    that is met later. `tell` is called with what was learned.

    Raises:
        ExtractError: a file cannot be read.
        DictionaryError: a field has too few or too many values to be a category.
    """
    wanted = {field.name: field for field in dictionary.fields if field.is_to_be_learned}
    if not wanted:
        return dictionary
    spellings: Mapping[str, Counter[str]] = {name: Counter() for name in wanted}
    files = extracts.files_of(path, dictionary) if path.is_dir() else [path]
    for file in files:
        _count(file, dictionary, spellings)
    learned = {name: _learned(field, spellings[name], tell) for name, field in wanted.items()}
    for name in dictionary.levers.keys() & learned.keys():
        _check_lever(learned[name], dictionary.levers[name].order)
    return replace(dictionary, fields=tuple(learned.get(field.name, field) for field in dictionary.fields))


def _count(path: Path, dictionary: Dictionary, spellings: Mapping[str, Counter[str]]) -> None:
    """Count the values of a file's columns, as they are spelled."""
    reader = open_reader(path, dictionary)
    fields = (dictionary.names.field_of(name) for name in reader.names)
    places = {field.name: place for place, field in enumerate(fields) if field and field.name in spellings}
    for columns in reader.scan(list(places.values())) if places else ():
        for name, column in zip(places, columns, strict=True):
            texts = pc.utf8_trim_whitespace(as_text(column).cast(pa.string()))
            for entry in texts.value_counts().to_pylist():
                spellings[name][entry["values"]] += entry["counts"]


def _learned(field: Field, spellings: Counter[str], tell: Callable[[str], object]) -> Field:
    """Return a field with its categories, each as most people spell it; those of most people first."""
    alike: dict[str, Counter[str]] = {}
    bucket = fold_value(field.other)
    for spelling, count in spellings.most_common():
        value = field.value_aliases.get(fold_value(spelling), spelling)
        if (folded := fold_value(value)) not in ("", bucket):
            alike.setdefault(folded, Counter())[value] += count
    counts = {named.most_common(1)[0][0]: named.total() for named in alike.values()}
    kept = [value for value, count in counts.items() if count >= field.minimum_count]
    kept.sort(key=lambda value: (-counts[value], value))
    if not kept:
        raise DictionaryError(
            f"{field.name}: no value is that of {field.minimum_count} people, so there is nothing to learn: "
            'lower its minimum_count, or give it the role "ignored"'
        )
    if len(kept) >= MOST_CATEGORIES:
        raise DictionaryError(
            f"{field.name}: {len(kept)} values are those of {field.minimum_count} people or more, and "
            f'a category has fewer than {MOST_CATEGORIES}: raise minimum_count, or give it the role "ignored"'
        )
    rare = sum(counts.values()) - sum(counts[value] for value in kept)
    rarer = len(counts) - len(kept)
    learned = "1 category" if len(kept) == 1 else f"{len(kept)} categories"
    values = (
        f"1 rarer value, of {rare} people, counts"
        if rarer == 1
        else (f"{rarer} rarer values, of {rare} people, count")
    )
    tell(f"{field.name}: {learned} learned" + f"; {values} as {field.other!r}" * (rarer > 0))
    return replace(field, categories=(*kept, field.other))


def _check_lever(field: Field, order: tuple[str, ...]) -> None:
    absent = [value for value in order if value not in field.categories]
    if absent:
        raise DictionaryError(
            f"levers.{field.name}: {absent[0]!r} is none of the categories that the data have, "
            f"{', '.join(field.categories)}: write the order with these"
        )
