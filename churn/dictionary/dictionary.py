"""A company's dictionary: its fields, where they come from, and what is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from churn.core.language import Pair
from churn.dictionary.field import Field, Lever
from churn.dictionary.names import Names

Example = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Extract:
    """One of the files over which a company's records are spread. Each names employees in its own way.

    `file` is the file's name without its suffix, and `labels` what people call it. Employees' numbers are in
    `id_column`, where `id_prefix` may stand before them; `id_form` says so in words. `constant_columns` never
    vary, and are not read.
    """

    name: str
    file: str
    id_column: str
    id_prefix: str = ""
    id_form: str = "the employee's number"
    constant_columns: tuple[str, ...] = ()
    labels: Pair = ("", "")


@dataclass(frozen=True, eq=False)
class Dictionary:
    """What a company knows about its employees. Whatever reads, scores or describes them is given one.

    `left` is the value of the target for those who have left. `implausible` are pairs of fields that can
    hardly both be right where the first plus the margin exceeds the second; these are answered with a
    warning, since an HR file may know better. `levers` are the fields that an employer can act upon, in the
    order in which changes are suggested. `audited` are the fields by whose groups fairness is measured.
    `example` is a record that the API accepts, and `example_changes` what may be changed in it;
    `calm_example` is one of somebody who is likely to stay.

    `name` is the dictionary's own.

    The identifier is called `employee_id`: under that name, the journal hides who an employee is.
    """

    fields: tuple[Field, ...] = ()
    left: str = ""
    extracts: tuple[Extract, ...] = ()
    implausible: tuple[tuple[str, str, float], ...] = ()
    levers: Mapping[str, Lever] = field(default_factory=dict)
    audited: tuple[str, ...] = ()
    example: Example = field(default_factory=dict)
    calm_example: Example = field(default_factory=dict)
    example_changes: Example = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse an identifier that the journal would not know as such, and so log in clear."""
        if any(field.kind == "identifier" and field.name != "employee_id" for field in self.fields):
            raise ValueError("the identifier of a dictionary is called employee_id")

    def __reduce__(self) -> tuple[object, ...]:
        """Pass from one process to another without what was computed: functions cannot."""
        return Dictionary, tuple(getattr(self, name) for name in self.__dataclass_fields__)

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their canonical names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def identifier(self) -> Field:
        """The field that says who an employee is."""
        return self._of("identifier")[0]

    @cached_property
    def target(self) -> Field:
        """The field that says whether an employee has left."""
        return self._of("target")[0]

    @cached_property
    def inputs(self) -> tuple[Field, ...]:
        """What a request may hold."""
        return tuple(field for field in self.fields if field.role != "target")

    @cached_property
    def features(self) -> tuple[Field, ...]:
        """What a model learns from, unless it is told otherwise."""
        return self._of("core", "optional")

    @cached_property
    def core(self) -> tuple[Field, ...]:
        """What must be known about an employee."""
        return self._of("core")

    @cached_property
    def protected(self) -> tuple[Field, ...]:
        """What is a prohibited ground of discrimination."""
        return self._of("protected")

    @cached_property
    def names(self) -> Names:
        """What finds fields by their names."""
        columns = [
            name for extract in self.extracts for name in (extract.id_column, *extract.constant_columns)
        ]
        return Names(self.fields, columns)

    def _of(self, *roles: str) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.role in roles)
