"""What a dictionary file may hold, key by key. What contradicts what is for `contradictions` to find."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

FileKind = Literal["number", "integer", "percent", "category", "yes/no", "date"]
FileRole = Literal["core", "optional", "protected", "identifier", "target", "ignored"]

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Text = Annotated[str, Field(min_length=1)]
Texts = dict[Language, Text]
Number = Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FileLearned(_Table):
    """How categories are learned from training data, and what all others are called."""

    minimum_count: Annotated[int, Field(ge=2)] = 10
    other: Text = "other"


class FileField(_Table):
    """One field."""

    source: Text | None = None
    kind: FileKind | None = None
    role: FileRole = "optional"
    positive: Text | None = None
    labels: Texts = {}
    aliases: list[Text] = []
    minimum: Number | None = None
    maximum: Number | None = None
    reason: Texts = {}
    unit: str = ""
    categories: list[Text] = []
    learned: FileLearned | None = None
    everyday: bool = False
    value_aliases: dict[str, list[Text]] = {}
    value_labels: dict[str, Texts] = {}
    groups: dict[str, Annotated[list[Number], Field(min_length=2, max_length=2)]] = {}
    caution: Texts = {}
    reference: date | None = None
    date_format: Text | None = None


class FileSource(_Table):
    """One of the files over which the records are spread."""

    file: Text
    id_column: Text
    id: Text = "{id}"
    zero_padded: bool = False
    labels: Texts = {}


class FileLever(_Table):
    """How an employer may change one field."""

    step: int = 0
    factor: Annotated[FiniteFloat, Field(gt=0)] | None = None
    reset: int | None = None
    order: list[Text] = []
    means: Texts = {}


class FilePair(_Table):
    """Two numbers that are hardly both right where the smaller plus the margin exceeds the larger."""

    smaller: Text
    larger: Text
    margin: Number = 0


FileExample = dict[str, int | float | str | date]


class FileExamples(_Table):
    """Records that the API accepts."""

    leaver: FileExample = {}
    stayer: FileExample = {}
    changes: FileExample = {}


class DictionaryFile(_Table):
    """The whole file."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    audited: list[Text] = []
    sources: dict[str, FileSource] = {}
    fields: Annotated[dict[str, FileField], Field(min_length=1)]
    implausible: list[FilePair] = []
    levers: dict[str, FileLever] = {}
    examples: FileExamples = FileExamples()
