"""The vocabulary: fields, categories, target and labels of one employee record.

Everything else in the package reads names, ranges and spellings here. Standard library only.
"""

import math
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

FieldKind = Literal["identifier", "integer", "number", "percent", "category"]
FieldRole = Literal["identifier", "core", "optional", "protected", "target"]
Extract = Literal["sirh", "eval", "sondage"]
Language = Literal["fr", "en"]
Band = Literal["low", "moderate", "high"]
Mark = Literal[".", ","]  # parts thousands or decimals

OTHER_MARK: dict[Mark, Mark] = {".": ",", ",": "."}
EXTRACTS: tuple[Extract, ...] = ("sirh", "eval", "sondage")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the record: its name, where it comes from and what it may hold.

    `minimum` and `maximum` bound what is accepted, both ends included; `categories` are the
    canonical spellings; `value_aliases` map further spellings (already folded by
    `fold_value`) to a canonical one; `labels` are (French, English).
    """

    name: str
    extract: Extract
    kind: FieldKind
    role: FieldRole
    labels: tuple[str, str]
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    categories: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    value_aliases: dict[str, str] = field(default_factory=dict)

    @property
    def numeric(self) -> bool:
        """Whether the field is a number to the model."""
        return self.kind in ("integer", "number", "percent")

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every accepted name: the canonical one first, then the aliases and the labels."""
        return (self.name, *self.aliases, *self.labels)

    @property
    def highest(self) -> float:
        """The largest number that is accepted."""
        if self.maximum is not None:
            return self.maximum
        return LARGEST_IDENTIFIER if self.kind == "identifier" else LARGEST

    def label(self, language: Language) -> str:
        """Return the name that a person reads."""
        return self.labels[0] if language == "fr" else self.labels[1]

    def category(self, value: str) -> str | None:
        """Return the canonical spelling of a category, or None where it is none of them."""
        key = fold_value(value)
        for canonical in self.categories:
            if fold_value(canonical) == key:
                return canonical
        return self.value_aliases.get(key)


def _fold(text: str) -> str:
    """Return a text without case and accents, composed or not."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def fold_name(name: str) -> str:
    """Return a name as words joined by underscores, without case and accents.

    Spaces, dashes, apostrophes and parentheses part words; signs of units (%, €, $) stay.
    """
    return "_".join(_SEPARATORS.split(_fold(name))).strip("_")


@lru_cache(maxsize=4096)
def fold_value(value: str) -> str:
    """Return a category's letters and digits only, without case and accents."""
    return "".join(c for c in _fold(value) if c.isalnum())


_SEPARATORS = re.compile(r"[\s_'’ʼ./()\-‐‒–—]+")

# How a number is written in text, after a decimal comma became a point. Digits can match in one way only:
# a pattern with two would try them all on a long text.
NUMBER = r"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"

# Numbers without a maximum of their own: past this no HR figure is meant, and every integer below is
# exact as a float.
LARGEST = 1e12
LARGEST_IDENTIFIER = 2**63 - 1  # what databases and Parquet files keep as an integer


def as_percent(fraction: float) -> float:
    """Return a fraction in percent, without a trace of the binary one: 0.29 * 100 is 28.999999999999996."""
    return round(fraction * 100, 9)


FIELDS: tuple[Field, ...] = (
    Field("employee_id", "sirh", "identifier", "identifier", ("Matricule", "Employee id"),
          minimum=0, aliases=("id_employee",)),
    Field("age", "sirh", "integer", "protected", ("Âge", "Age"), minimum=18, maximum=70, unit="ans"),
    Field("genre", "sirh", "category", "protected", ("Genre", "Gender"), categories=("F", "M")),
    Field("statut_marital", "sirh", "category", "protected", ("Statut marital", "Marital status"),
          categories=("Célibataire", "Marié(e)", "Divorcé(e)"),
          value_aliases={"marie": "Marié(e)", "divorce": "Divorcé(e)"}),
    Field("revenu_mensuel", "sirh", "number", "core", ("Revenu mensuel", "Monthly income"),
          minimum=0, unit="€"),
    Field("departement", "sirh", "category", "optional", ("Département", "Department"),
          categories=("Commercial", "Consulting", "Ressources Humaines")),
    Field("poste", "sirh", "category", "optional", ("Poste", "Job"),
          categories=("Assistant de Direction", "Cadre Commercial", "Consultant", "Directeur Technique",
                      "Manager", "Représentant Commercial", "Ressources Humaines", "Senior Manager",
                      "Tech Lead")),
    Field("niveau_hierarchique_poste", "eval", "integer", "optional",
          ("Niveau hiérarchique", "Job level"), minimum=1, maximum=5),
    Field("nombre_experiences_precedentes", "sirh", "integer", "optional",
          ("Employeurs précédents", "Previous employers"), minimum=0),
    Field("annee_experience_totale", "sirh", "number", "core",
          ("Expérience totale", "Total experience"), minimum=0, unit="ans", aliases=("exp_totale",)),
    Field("annees_dans_l_entreprise", "sirh", "integer", "core",
          ("Ancienneté", "Years with the company"), minimum=0, unit="ans", aliases=("anciennete",)),
    Field("annees_dans_le_poste_actuel", "sirh", "integer", "core",
          ("Années dans le poste actuel", "Years in the current job"), minimum=0, unit="ans",
          aliases=("poste_actuel",)),
    Field("satisfaction_employee_environnement", "eval", "integer", "core",
          ("Satisfaction (environnement)", "Satisfaction (environment)"), minimum=1, maximum=4,
          aliases=("satisfaction_environnement",)),
    Field("satisfaction_employee_nature_travail", "eval", "integer", "optional",
          ("Satisfaction (nature du travail)", "Satisfaction (the work itself)"), minimum=1, maximum=4),
    Field("satisfaction_employee_equipe", "eval", "integer", "optional",
          ("Satisfaction (équipe)", "Satisfaction (team)"), minimum=1, maximum=4),
    Field("satisfaction_employee_equilibre_pro_perso", "eval", "integer", "core",
          ("Satisfaction (équilibre pro/perso)", "Satisfaction (work-life balance)"), minimum=1, maximum=4,
          aliases=("satisfaction_equilibre",)),
    Field("note_evaluation_precedente", "eval", "integer", "optional",
          ("Évaluation précédente", "Previous review"), minimum=1, maximum=4),
    Field("note_evaluation_actuelle", "eval", "integer", "optional",
          ("Évaluation actuelle", "Current review"), minimum=1, maximum=4),
    Field("heure_supplementaires", "eval", "category", "core", ("Heures supplémentaires", "Overtime"),
          categories=("Oui", "Non"), aliases=("heures_supp", "heures_suppl", "heures_supplementaires")),
    Field("augmentation_salaire_precedente", "eval", "percent", "optional",
          ("Dernière augmentation", "Last pay rise"), minimum=0, unit="%",
          aliases=("augementation_salaire_precedente", "augmentation_salaire_precedente_pourcent")),
    Field("nombre_participation_pee", "sondage", "integer", "core",
          ("Participations au PEE", "Savings-plan take-ups"), minimum=0, aliases=("pee", "pea")),
    Field("nb_formations_suivies", "sondage", "integer", "optional",
          ("Formations suivies", "Courses last year"), minimum=0),
    Field("distance_domicile_travail", "sondage", "number", "core",
          ("Distance domicile-travail", "Distance from home to work"), minimum=0, unit="km"),
    Field("niveau_education", "sondage", "integer", "optional",
          ("Niveau d'éducation", "Education level"), minimum=1, maximum=5),
    Field("domaine_etude", "sondage", "category", "optional", ("Domaine d'étude", "Field of study"),
          categories=("Autre", "Entrepreunariat", "Infra & Cloud", "Marketing", "Ressources Humaines",
                      "Transformation Digitale"),
          value_aliases={"entrepreneuriat": "Entrepreunariat"}),
    Field("frequence_deplacement", "sondage", "category", "optional",
          ("Fréquence des déplacements", "Business travel"),
          categories=("Aucun", "Occasionnel", "Frequent")),
    Field("annees_depuis_la_derniere_promotion", "sondage", "integer", "core",
          ("Années depuis la dernière promotion", "Years since the last promotion"), minimum=0, unit="ans",
          aliases=("annees_promo",)),
    Field("annees_sous_responsable_actuel", "sondage", "integer", "optional",
          ("Années sous le responsable actuel", "Years under the current manager"), minimum=0, unit="ans",
          aliases=("annes_sous_responsable_actuel",)),
    Field("a_quitte_l_entreprise", "sondage", "category", "target", ("A quitté l'entreprise", "Has left"),
          categories=("Oui", "Non")),
)  # fmt: skip

BY_NAME: dict[str, Field] = {f.name: f for f in FIELDS}

IDENTIFIER = BY_NAME["employee_id"]
TARGET = BY_NAME["a_quitte_l_entreprise"]
LEFT = "Oui"  # the target's positive class

# What a prediction request may hold, and what the model learns from by default.
INPUTS: tuple[Field, ...] = tuple(f for f in FIELDS if f.role != "target")
FEATURES: tuple[Field, ...] = tuple(f for f in FIELDS if f.role in ("core", "optional"))
CORE: tuple[Field, ...] = tuple(f for f in FIELDS if f.role == "core")
PROTECTED: tuple[Field, ...] = tuple(f for f in FIELDS if f.role == "protected")

# Pairs that can hardly both be right where the first plus the margin exceeds the second (years).
# They are answered with a warning: an HR file may know better.
IMPLAUSIBLE: tuple[tuple[str, str, float], ...] = (
    ("annee_experience_totale", "age", 16),
    ("annees_dans_l_entreprise", "annee_experience_totale", 0),
    ("annees_dans_le_poste_actuel", "annees_dans_l_entreprise", 0),
    ("annees_depuis_la_derniere_promotion", "annees_dans_l_entreprise", 0),
    ("annees_sous_responsable_actuel", "annees_dans_l_entreprise", 0),
)

# How a category reads in a sentence, (French, English), where that is not its canonical spelling.
VALUE_LABELS: dict[str, tuple[str, str]] = {
    "Oui": ("Oui", "Yes"),
    "Non": ("Non", "No"),
    "Célibataire": ("Célibataire", "Single"),
    "Marié(e)": ("Marié(e)", "Married"),
    "Divorcé(e)": ("Divorcé(e)", "Divorced"),
    "Commercial": ("Commercial", "Sales"),
    "Ressources Humaines": ("Ressources humaines", "Human resources"),
    "Assistant de Direction": ("Assistant de direction", "Executive assistant"),
    "Cadre Commercial": ("Cadre commercial", "Sales executive"),
    "Directeur Technique": ("Directeur technique", "Technical director"),
    "Représentant Commercial": ("Représentant commercial", "Sales representative"),
    "Autre": ("Autre", "Other"),
    "Entrepreunariat": ("Entrepreneuriat", "Entrepreneurship"),
    "Transformation Digitale": ("Transformation digitale", "Digital transformation"),
    "Aucun": ("Aucun", "None"),
    "Occasionnel": ("Occasionnel", "Occasional"),
    "Frequent": ("Fréquent", "Frequent"),
}


@dataclass(frozen=True, slots=True)
class Lever:
    """How an employer may move one field, and so what may be suggested.

    A number moves in steps of `step`, whose sign is the direction, to at most `factor` times its value;
    or it is set to `reset` at once. A category moves rightwards along `order`. `means`, (French,
    English), says by what, where the field's name does not.
    """

    step: int = 0
    factor: float = math.inf
    reset: int | None = None
    order: tuple[str, ...] = ()
    means: tuple[str, str] | None = None


# The actionable fields, in the order in which suggestions are made: first what can be decided soonest and
# at the least cost. No others: satisfaction and reviews are what people say, to be earned and not set; age,
# family, studies, experience and seniority are who somebody is; job, level and department are another post.
LEVERS: dict[str, Lever] = {
    "heure_supplementaires": Lever(order=("Oui", "Non")),
    "frequence_deplacement": Lever(order=("Frequent", "Occasionnel", "Aucun")),
    "distance_domicile_travail": Lever(step=-1, means=("télétravail", "remote work")),
    "nb_formations_suivies": Lever(step=1),
    "nombre_participation_pee": Lever(step=1),
    "annees_depuis_la_derniere_promotion": Lever(reset=0, means=("promotion", "promotion")),
    "augmentation_salaire_precedente": Lever(step=1),
    "revenu_mensuel": Lever(step=50, factor=1.5),
}

# The risk bands, (French, English), in rising order. The high one is what the threshold flags, so that
# a band never contradicts a prediction; the moderate one begins at half of the threshold.
BANDS: dict[Band, tuple[str, str]] = {
    "low": ("faible", "low"),
    "moderate": ("modéré", "moderate"),
    "high": ("élevé", "high"),
}


def risk_band(probability: float, threshold: float) -> Band:
    """Return the band of a probability, given the decision threshold."""
    if probability >= threshold:
        return "high"
    return "moderate" if probability >= threshold / 2 else "low"


# Each extract names the employee in its own way, and carries columns that never vary.
ID_COLUMNS: dict[Extract, str] = {"sirh": "id_employee", "eval": "eval_number", "sondage": "code_sondage"}
CONSTANT_COLUMNS: dict[Extract, tuple[str, ...]] = {
    "sirh": ("nombre_heures_travailless",),
    "eval": (),
    "sondage": ("nombre_employee_sous_responsabilite", "ayant_enfants"),
}
