"""What is answered about a job."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from churn.core.language import Language


class ColumnReading(BaseModel):
    """What a column stands for."""

    column: str = Field(description="its name in the file")
    field: str = Field(description="the field that it stands for")


class ReadingAnswer(BaseModel):
    """How a file is read."""

    file: str = Field(
        description="employees.csv (or as it was sent, .xlsx say), or one of several by its name"
    )
    format: Literal["csv", "xlsx", "ods", "parquet"]
    delimiter: str | None = Field(description="what parts the values of a text file")
    encoding: str | None = Field(description="that of a text file: UTF-8, UTF-16 or Windows-1252")
    decimal_comma: bool = Field(description="whether 11,5 may stand for 11.5")
    sheet: int | None = Field(description="the number of the sheet of a workbook that is read, from 1")
    sheet_name: str | None = Field(description="what that sheet is called")
    rows: int | None = Field(description="rows below the header, without the blank ones")
    blanks: int = Field(description="blank rows that were passed over")
    columns: list[ColumnReading]


class JobProblem(BaseModel):
    """One thing that is wrong in a file; its value is not repeated."""

    file: str
    line: int | None = Field(description="on which it is; null where it concerns the whole file")
    column: str | None
    expected: str = Field(description="what was expected, as a sentence")


class JobAddresses(BaseModel):
    """Where to go on."""

    self: str
    cancel: str
    score: str
    result: str
    rejects: str


class JobAnswer(BaseModel):
    """A file of employees that is checked, then scored."""

    id: UUID
    state: Literal["waiting", "checking", "checked", "scoring", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1, description="how much of the work is done")
    created_at: datetime
    expires_at: datetime = Field(description="when it is removed with all its files, if nothing happens")
    model: str = Field(description="the model that scores it")
    rows: int | None = Field(description="rows of the file; null until it is checked")
    scored: int = Field(ge=0, description="rows with a prediction")
    rejected: int = Field(ge=0, description="rows that are not scored")
    flagged: int = Field(ge=0, description="rows at or above the threshold")
    readings: list[ReadingAnswer] = Field(description="how each file is read, once it is checked")
    notices: list[str] = Field(description="what to know about how the file is read")
    problems: list[JobProblem] = Field(description="the first problems of the file, by line")
    problem_count: int = Field(ge=0, description="how many problems there are in all")
    warnings: list[str] = Field(description="what is unusual in the file, once it is scored")
    error: str | None = Field(description="why it failed, as a sentence")
    addresses: JobAddresses


def _one_of(kind: str, choices: tuple[str, ...]) -> BeforeValidator:
    def value_of(value: object) -> object:
        if value not in choices:
            raise PydanticCustomError(kind, kind)
        return value

    return BeforeValidator(value_of)


def _true_or_false(value: object) -> object:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise PydanticCustomError("true_or_false", "true_or_false")
    return value == "true"


def _optional(about: str) -> Any:
    return Field(default_factory=lambda: None, description=about)


class FileQuery(BaseModel):
    """How a file is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    check: Annotated[bool, BeforeValidator(_true_or_false)] = Field(
        default=False, description="only check the file; `POST /jobs/{id}/score` scores it"
    )
    lang: Annotated[Language | None, _one_of("lang", ("fr", "en"))] = _optional(
        "the language of the reasons in the results, in place of Accept-Language"
    )
    decimal: Annotated[Literal[".", ","] | None, _one_of("decimal", (".", ","))] = _optional(
        "what parts decimals, where the file's numbers can be read in two ways"
    )


class DownloadQuery(BaseModel):
    """As what results are downloaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    format: Annotated[Literal["csv", "xlsx", "parquet"], _one_of("format", ("csv", "xlsx", "parquet"))] = (
        Field(default="csv", description="of the file")
    )
    lang: Annotated[Language | None, _one_of("lang", ("fr", "en"))] = _optional(
        "how CSV is written, in place of Accept-Language: fr with a byte order mark, semicolons and decimal "
        "commas, en with commas and decimal points"
    )
