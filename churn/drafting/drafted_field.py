"""One column's field as a draft has it: what it holds and what it is for."""

import math
import re
from collections.abc import Collection
from datetime import date
from typing import Any

from churn.dictionary.field import ISO_DATE
from churn.dictionary.folding import fold_name
from churn.drafting import leak_suspects, name_hints
from churn.drafting.column_kind import LEAST_PEOPLE, ColumnKind
from churn.drafting.draft import DraftField
from churn.drafting.name_words import CAPITALS, plain
from churn.drafting.protected_grounds import Ground, ground_of
from churn.ingest.raw_column import RawColumn

AGES = {"18–29": [18, 29], "30–39": [30, 39], "40–49": [40, 49], "50+": [50, 200]}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FEW_NUMBERS = 6  # distinct whole numbers, which may be codes of categories
_ADULTS = (14, 110)


def name_of(column: str, taken: Collection[str]) -> str:
    """Return a column's name as a field may be called, unlike all that are taken."""
    name = column if _NAME.fullmatch(column) else plain(column)[:60]
    if not _NAME.fullmatch(name):
        name = f"field_{name}".rstrip("_")
    same = {other.lower() for other in taken}
    candidates = (name, *(f"{name}_{number}" for number in range(2, len(same) + 3)))
    return next(candidate for candidate in candidates if candidate.lower() not in same)


def label_of(column: str) -> str:
    """Return a column's name as a person reads it."""
    words = re.sub(rf"{CAPITALS}|[\s_]+", " ", column).split()
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return text[:1].upper() + text[1:]


def drafted(column: RawColumn, kind: ColumnKind, name: str, reference: date | None) -> DraftField:
    """Return the field of a column that is neither the id nor the target, whoever it may help to find."""
    label = label_of(column.name)
    entry: dict[str, Any] = {"kind": "category" if kind.kind in ("text", "nothing") else kind.kind}
    entry |= {"role": "optional", "labels": {"fr": label, "en": label}}
    if fold_name(name) != fold_name(column.name):
        entry["aliases"] = [column.name]
    field = DraftField(name, column.name, entry)
    field.why.append(_seen(column, kind))
    if kind.kind == "nothing" or len(column.counts) == 1:
        field.leave_out("the same in every row: it tells nothing")
    elif name_hints.is_somebody(column.name) and kind.kind in ("category", "text"):
        field.leave_out("names people")
    elif ground := ground_of(column.name):
        _protect(field, column, kind, ground)
    elif kind.kind == "text":
        field.leave_out("free text, or values of hardly more than one person each")
    _complete(field, column, kind, reference)
    return field


def _seen(column: RawColumn, kind: ColumnKind) -> str:
    """Return what was seen of a column, without any single person's value."""
    missing = len(column.codes) - column.known
    values = f"{len(column.counts)} value{'s' * (len(column.counts) != 1)}"
    if kind.kind == "category" and not kind.is_learned:
        values += f": {', '.join(column.counts)}"
    return values + (f", {missing} of {len(column.codes)} rows without" if missing else "")


def _protect(field: DraftField, column: RawColumn, kind: ColumnKind, ground: Ground) -> None:
    field.why.append(f"may tell of {ground.name} ({ground.law}): the model does not see it")
    is_age = kind.kind in ("integer", "number") and _ADULTS[0] <= kind.low and kind.high <= _ADULTS[1]
    if ground.name == "age" and is_age:
        field.entry |= {"role": "protected", "groups": AGES}
    elif kind.kind in ("yes/no", "category", "integer") and len(column.counts) <= LEAST_PEOPLE * 2:
        field.entry["role"] = "protected"
    else:
        field.leave_out("its values are too many to audit by")


def _complete(field: DraftField, column: RawColumn, kind: ColumnKind, reference: date | None) -> None:
    """Add the keys that the kind has, and what is doubtful in it."""
    if field.role == "ignored":
        return
    if kind.odd:
        field.doubts.append(
            f"{kind.odd} values are no {kind.kind}: mend them in the file, or training will name their rows"
        )
    if kind.kind == "date":
        _complete_date(field, kind, reference)
    elif kind.numbers is not None:
        _complete_number(field, column, kind)
    elif kind.is_learned:
        field.entry["learned"] = {"minimum_count": LEAST_PEOPLE, "other": "other"}
    elif kind.kind == "category":
        field.entry["categories"] = list(column.counts)


def _complete_number(field: DraftField, column: RawColumn, kind: ColumnKind) -> None:
    if kind.thousands:
        field.doubts.append(f"{kind.thousands}: say so by --thousands when you train")
    if kind.unit:
        field.entry["unit"] = kind.unit
    if kind.low < 0:
        field.entry["minimum"] = math.floor(kind.low)
        field.doubts.append("some numbers are below 0: is that meant?")
    is_scale = name_hints.is_scale(column.name) or field.role != "optional"
    if kind.kind == "integer" and len(column.counts) <= _FEW_NUMBERS and not is_scale:
        field.doubts.append("few whole numbers: a scale stays as it is; codes are better a category")


def _complete_date(field: DraftField, kind: ColumnKind, reference: date | None) -> None:
    if name_hints.is_leaving(field.column):
        field.leave_out("a date of leaving is known of leavers alone: never a feature")
        return
    field.entry["reference"] = reference
    field.doubts.append(
        f"the model sees the years until {reference}, the latest day in the files: set the day on which they "
        "were drawn up"
    )
    if kind.formats[0] != ISO_DATE:
        field.entry["date_format"] = kind.formats[0]
    if len(kind.formats) > 1:
        field.doubts.append(f"the days can be read as {' and as '.join(kind.formats)}: the first is taken")


def suspect(field: DraftField, column: RawColumn, kind: ColumnKind, has_left: Any) -> float:
    """Leave a field out that may have been filled in after people left; return its ROC-AUC alone."""
    if field.role not in ("optional", "core"):
        return 0.5
    if leak_suspects.is_filled_for_one_side(column, has_left):
        field.leave_out("only leavers, or only those who stayed, have a value: filled in afterwards")
        return 0.5
    area = leak_suspects.alone(column, kind, has_left)
    if area > leak_suspects.TOO_GOOD:
        field.leave_out(
            f"alone it tells who left with a ROC-AUC of {area:.2f}: it may have been filled in afterwards; "
            "if it was known before, take it in again"
        )
        return 0.5
    return area
