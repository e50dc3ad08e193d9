"""What goes in over HTTP, by a company's dictionary: typed, bounded, unknown fields refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    ModelWrapValidatorHandler,
    create_model,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from churn.dictionary import field
from churn.dictionary.dictionary import Dictionary
from churn.schemas.identifier import check_identifier
from churn.schemas.normalization import Normalizer

Model = TypeVar("Model", bound=BaseModel)

MOST_FIELDS = 200  # names in one record, known or not


def _only_number(value: object) -> object:
    """Refuse what pydantic would turn into a number: booleans and text."""
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "not a number")
    return value


def _only_percentage(value: object) -> object:
    """Refuse a text: those that are percentages are numbers by now."""
    if isinstance(value, str):
        raise PydanticCustomError("percent", "not a percentage")
    return _only_number(value)


def _same_person(_: object) -> object:
    raise PydanticCustomError("same_person", "not to be changed")


_Identifier = Annotated[int | str, BeforeValidator(check_identifier)]
_Unchangeable = SkipJsonSchema[Annotated[_Identifier | None, BeforeValidator(_same_person)]]
_NUMBERS: dict[str, tuple[Any, Callable[[object], object]]] = {
    "integer": (int, _only_number),
    "number": (FiniteFloat, _only_number),
    "percent": (FiniteFloat, _only_percentage),
    "date": (FiniteFloat, _only_number),
}


class _Asked(BaseModel):
    """What all that is asked has in common; `example` is that of its schema."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        # BentoML logs validation errors: without this, with the employee's values in them.
        hide_input_in_errors=True,
        json_schema_extra=lambda schema, model: schema.update(example=model.example),
    )

    example: ClassVar[Mapping[str, Any]]


class Employee(_Asked):
    """One employee record: core fields are required, the others optional.

    A field goes by its name, another that its description tells, or its label in French or English; in any
    case, with or without accents, with spaces for underscores. An optional field that is absent or null is
    unknown, never zero. Protected fields are accepted and logged for fairness audits; the model does not see
    them.
    """

    # No private attribute of pydantic's: those cost each record fourteen calls.
    __slots__ = ("_guessed",)

    normalizer: ClassVar[Normalizer]

    @model_validator(mode="wrap")
    @classmethod
    def _canonical(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Give every field its canonical name, every category its spelling, and percentages their unit."""
        if not isinstance(data, dict):
            return handler(data)
        if len(data) > MOST_FIELDS:
            raise PydanticCustomError("too_many_fields", "too many fields")
        record, guessed = cls.normalizer.canonical(data)
        return handler(record)._with_guesses(guessed)

    @property
    def guessed(self) -> frozenset[str]:
        """The fields whose value could be written to mean another."""
        names: frozenset[str] = getattr(self, "_guessed", frozenset())
        return names

    def _with_guesses(self, names: frozenset[str]) -> Self:
        object.__setattr__(self, "_guessed", names)
        return self

    def record(self) -> dict[str, Any]:
        """Return the cleaned values by canonical name; None is unknown."""
        return dict(self.__dict__)


class Changes(Employee):
    """Some fields of one employee, to be changed: none is required; null makes an optional one unknown.

    Names, aliases and values are an employee's. Who it is cannot be changed.
    """

    def given(self) -> dict[str, Any]:
        """Return the values of the fields to change, by canonical name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class WhatIfQuestion(_Asked):
    """One employee, and what to change; without changes, only suggestions are asked for."""

    employee: Employee
    changes: Changes

    def changed(self) -> Employee:
        """Return the employee with the changes."""
        guessed = (self.employee.guessed - self.changes.model_fields_set) | self.changes.guessed
        return self.employee.model_copy(update=self.changes.given())._with_guesses(guessed)


@dataclass(frozen=True, slots=True)
class RequestModels:
    """The models of what may be asked about the employees of one company."""

    dictionary: Dictionary
    employee: type[Employee]
    changes: type[Changes]
    question: type[WhatIfQuestion]


def request_models(dictionary: Dictionary) -> RequestModels:
    """Make the models of what may be asked about a company's employees."""
    normalizer = {"normalizer": (ClassVar[Normalizer], Normalizer(dictionary))}
    types = [(known, _type(known)) for known in dictionary.inputs]
    employee = _model(
        Employee,
        dictionary.example,
        normalizer | {known.name: (type_, _about(known)) for known, type_ in types},
    )
    changes = _model(
        Changes,
        dictionary.example_changes,
        normalizer
        | {known.name: (type_, _about(known, required=False)) for known, type_ in types}
        | {dictionary.identifier.name: (_Unchangeable, None)},
    )
    question = _model(
        WhatIfQuestion,
        {"employee": dictionary.example, "changes": dictionary.example_changes},
        {"employee": (employee, ...), "changes": (changes, Field(default_factory=changes))},
    )
    return RequestModels(dictionary, employee, changes, question)


def _model(base: type[Model], example: Mapping[str, Any], attributes: dict[str, Any]) -> type[Model]:
    """Return a model of the same name as its base, with these attributes."""
    attributes["example"] = (ClassVar[Mapping[str, Any]], example)
    return create_model(base.__name__, __base__=base, __doc__=base.__doc__, **attributes)


def _type(known: field.Field) -> Any:
    """Return the type of a field's values; None is unknown."""
    values: Any = _Identifier
    if known.categories:
        values = Literal[known.categories]
    elif known.numeric:
        number, check = _NUMBERS[known.kind]
        # Bounds of the number itself, not of what the check returns: those would be functions in Python.
        values = Annotated[number, Field(ge=known.minimum, le=known.highest), BeforeValidator(check)]
    return values if known.role == "core" else values | None


def _about(known: field.Field, *, required: bool = True) -> Any:
    """Return pydantic's description of a field: its default and texts.

    Core fields have no default, or where they are not required, one that the document need not tell:
    null is none of their values.
    """
    described = f"{known.labels[0]} / {known.labels[1]}" + f" ({known.unit})" * bool(known.unit)
    also = f". Also accepted as: {', '.join(known.aliases)}" if known.aliases else ""
    also += ". A number below 1 without its sign is a fraction: 0.11 is 11 %" * (known.kind == "percent")
    also += f". The years until {known.reference}, or a date" * (known.kind == "date")
    also += f". Any other value counts as {known.other}" * bool(known.other)
    default: dict[str, Any] = {"default": None}
    if known.role == "core":
        default = {} if required else {"default_factory": lambda: None}
    return Field(**default, description=described + also)
