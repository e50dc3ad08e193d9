"""What goes in over HTTP: typed, bounded, unknown fields refused."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    ModelWrapValidatorHandler,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from churn.dictionary import domain
from churn.schemas import normalization

LONGEST_IDENTIFIER = 64  # characters
MOST_FIELDS = 200  # names in one record, known or not

# Characters that nobody sees, or sees as another, as a class of a regular expression: controls, spaces but
# the plain one, fillers, marks of direction and variants, private use. With lone surrogates, which no JSON
# text can hold as such, they are in no name.
UNSEEN = (
    r"\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
# What `employee_id` looks like as a text: space around it is dropped.
IDENTIFIER = rf"^\s*[^\s{UNSEEN}]([^{UNSEEN}]{{0,{LONGEST_IDENTIFIER - 2}}}[^\s{UNSEEN}])?\s*$"
_READABLE = re.compile(rf"[^{UNSEEN}\ud800-\udfff]+")

YesNo = Literal["Oui", "Non"]
Genre = Literal["F", "M"]
StatutMarital = Literal["Célibataire", "Marié(e)", "Divorcé(e)"]
Departement = Literal["Commercial", "Consulting", "Ressources Humaines"]
Poste = Literal[
    "Assistant de Direction",
    "Cadre Commercial",
    "Consultant",
    "Directeur Technique",
    "Manager",
    "Représentant Commercial",
    "Ressources Humaines",
    "Senior Manager",
    "Tech Lead",
]
DomaineEtude = Literal[
    "Autre",
    "Entrepreunariat",
    "Infra & Cloud",
    "Marketing",
    "Ressources Humaines",
    "Transformation Digitale",
]
FrequenceDeplacement = Literal["Aucun", "Occasionnel", "Frequent"]


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


def is_readable(text: str) -> bool:
    """Return whether a text has characters, and only such as people see."""
    return _READABLE.fullmatch(text) is not None


def _identifier(value: object) -> object:
    """Refuse what names nobody: booleans, negatives, empty or endless text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        value = value.strip()
        if len(value) <= LONGEST_IDENTIFIER and is_readable(value):
            return value
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if value <= domain.LARGEST_IDENTIFIER:
            return value
        raise PydanticCustomError("less_than_equal", "too large")
    raise PydanticCustomError("identifier", "not an identifier")


Integer = Annotated[int, BeforeValidator(_only_number)]
Number = Annotated[FiniteFloat, BeforeValidator(_only_number)]
Percent = Annotated[FiniteFloat, BeforeValidator(_only_percentage)]
Identifier = Annotated[int | str, BeforeValidator(_identifier)]


def _about(name: str, *, required: bool = True) -> Any:
    """Return pydantic's description of a domain field: default, bounds and texts.

    Core fields have no default, or where they are not required, one that the document need not tell:
    null is none of their values.
    """
    field = domain.BY_NAME[name]
    described = f"{field.labels[0]} / {field.labels[1]}" + f" ({field.unit})" * bool(field.unit)
    also = f". Also accepted as: {', '.join(field.aliases)}" if field.aliases else ""
    also += ". A number below 1 without its sign is a fraction: 0.11 is 11 %" * (field.kind == "percent")
    default: dict[str, Any] = {"default": None}
    if field.role == "core":
        default = {} if required else {"default_factory": lambda: None}
    if not field.numeric:
        return Field(**default, description=described + also)
    bounds: dict[str, Any] = {"ge": field.minimum, "le": field.highest}
    return Field(**default, description=described + also, **bounds)


EXAMPLE: dict[str, JsonValue] = {
    "revenu_mensuel": 2500,
    "annee_experience_totale": 3,
    "annees_dans_l_entreprise": 1,
    "annees_dans_le_poste_actuel": 0,
    "satisfaction_employee_environnement": 1,
    "satisfaction_employee_equilibre_pro_perso": 2,
    "heure_supplementaires": "Oui",
    "nombre_participation_pee": 0,
    "distance_domicile_travail": 20,
    "annees_depuis_la_derniere_promotion": 0,
}


class Employee(BaseModel):
    """One employee record: core fields are required, the others optional.

    A field goes by its name, another that its description tells, or its label in French or English; in any
    case, with or without accents, with spaces for underscores. An optional field that is absent or null is
    unknown, never zero. Protected fields are accepted and logged for fairness audits; the model does not see
    them.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        # BentoML logs validation errors: without this, with the employee's values in them.
        hide_input_in_errors=True,
        json_schema_extra={"example": EXAMPLE},
    )

    # No private attribute of pydantic's: those cost each record fourteen calls.
    __slots__ = ("_guessed",)

    employee_id: Identifier | None = _about("employee_id")
    age: Integer | None = _about("age")
    genre: Genre | None = _about("genre")
    statut_marital: StatutMarital | None = _about("statut_marital")
    revenu_mensuel: Number = _about("revenu_mensuel")
    departement: Departement | None = _about("departement")
    poste: Poste | None = _about("poste")
    niveau_hierarchique_poste: Integer | None = _about("niveau_hierarchique_poste")
    nombre_experiences_precedentes: Integer | None = _about("nombre_experiences_precedentes")
    annee_experience_totale: Number = _about("annee_experience_totale")
    annees_dans_l_entreprise: Integer = _about("annees_dans_l_entreprise")
    annees_dans_le_poste_actuel: Integer = _about("annees_dans_le_poste_actuel")
    satisfaction_employee_environnement: Integer = _about("satisfaction_employee_environnement")
    satisfaction_employee_nature_travail: Integer | None = _about("satisfaction_employee_nature_travail")
    satisfaction_employee_equipe: Integer | None = _about("satisfaction_employee_equipe")
    satisfaction_employee_equilibre_pro_perso: Integer = _about("satisfaction_employee_equilibre_pro_perso")
    note_evaluation_precedente: Integer | None = _about("note_evaluation_precedente")
    note_evaluation_actuelle: Integer | None = _about("note_evaluation_actuelle")
    heure_supplementaires: YesNo = _about("heure_supplementaires")
    augmentation_salaire_precedente: Percent | None = _about("augmentation_salaire_precedente")
    nombre_participation_pee: Integer = _about("nombre_participation_pee")
    nb_formations_suivies: Integer | None = _about("nb_formations_suivies")
    distance_domicile_travail: Number = _about("distance_domicile_travail")
    niveau_education: Integer | None = _about("niveau_education")
    domaine_etude: DomaineEtude | None = _about("domaine_etude")
    frequence_deplacement: FrequenceDeplacement | None = _about("frequence_deplacement")
    annees_depuis_la_derniere_promotion: Integer = _about("annees_depuis_la_derniere_promotion")
    annees_sous_responsable_actuel: Integer | None = _about("annees_sous_responsable_actuel")

    @model_validator(mode="wrap")
    @classmethod
    def _canonical(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Give every field its canonical name, every category its spelling, and percentages their unit."""
        if not isinstance(data, dict):
            return handler(data)
        if len(data) > MOST_FIELDS:
            raise PydanticCustomError("too_many_fields", "too many fields")
        record, guessed = normalization.canonical(data)
        return handler(record)._with_guesses(guessed)

    @property
    def guessed(self) -> frozenset[str]:
        """The fields whose value could be written to mean another."""
        found: frozenset[str] = getattr(self, "_guessed", frozenset())
        return found

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

    model_config = ConfigDict(json_schema_extra={"example": {"heure_supplementaires": "Non"}})

    employee_id: SkipJsonSchema[Identifier | None] = None
    revenu_mensuel: Number = _about("revenu_mensuel", required=False)
    annee_experience_totale: Number = _about("annee_experience_totale", required=False)
    annees_dans_l_entreprise: Integer = _about("annees_dans_l_entreprise", required=False)
    annees_dans_le_poste_actuel: Integer = _about("annees_dans_le_poste_actuel", required=False)
    satisfaction_employee_environnement: Integer = _about(
        "satisfaction_employee_environnement", required=False
    )
    satisfaction_employee_equilibre_pro_perso: Integer = _about(
        "satisfaction_employee_equilibre_pro_perso", required=False
    )
    heure_supplementaires: YesNo = _about("heure_supplementaires", required=False)
    nombre_participation_pee: Integer = _about("nombre_participation_pee", required=False)
    distance_domicile_travail: Number = _about("distance_domicile_travail", required=False)
    annees_depuis_la_derniere_promotion: Integer = _about(
        "annees_depuis_la_derniere_promotion", required=False
    )

    @field_validator("employee_id", mode="before")
    @classmethod
    def _same_person(cls, _: object) -> object:
        raise PydanticCustomError("same_person", "not to be changed")

    def given(self) -> dict[str, Any]:
        """Return the values of the fields to change, by canonical name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class WhatIfQuestion(BaseModel):
    """One employee, and what to change; without changes, only suggestions are asked for."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={"example": {"employee": EXAMPLE, "changes": {"heure_supplementaires": "Non"}}},
    )

    employee: Employee
    changes: Changes = Field(default_factory=Changes)

    def changed(self) -> Employee:
        """Return the employee with the changes."""
        guessed = (self.employee.guessed - self.changes.model_fields_set) | self.changes.guessed
        return self.employee.model_copy(update=self.changes.given())._with_guesses(guessed)
