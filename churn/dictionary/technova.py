"""TechnoVa: the one company whose dictionary comes with the software."""

from churn.dictionary.dictionary import Dictionary, Example, Extract
from churn.dictionary.field import Field, Lever

_YES_NO = {"Oui": ("Oui", "Yes"), "Non": ("Non", "No")}
_HUMAN_RESOURCES = {"Ressources Humaines": ("Ressources humaines", "Human resources")}

_FIELDS = (
    Field("employee_id", "sirh", "identifier", "identifier", ("Matricule", "Employee id"),
          minimum=0, aliases=("id_employee",)),
    Field("age", "sirh", "integer", "protected", ("Âge", "Age"), minimum=18, maximum=70, unit="ans",
          groups={"18–29": (18, 29), "30–39": (30, 39), "40–49": (40, 49), "50+": (50, 200)}),
    Field("genre", "sirh", "category", "protected", ("Genre", "Gender"), categories=("F", "M"),
          value_labels={"F": ("Femmes", "Women"), "M": ("Hommes", "Men")}),
    Field("statut_marital", "sirh", "category", "protected", ("Statut marital", "Marital status"),
          categories=("Célibataire", "Marié(e)", "Divorcé(e)"),
          value_aliases={"marie": "Marié(e)", "divorce": "Divorcé(e)"},
          value_labels={"Célibataire": ("Célibataire", "Single"), "Marié(e)": ("Marié(e)", "Married"),
                        "Divorcé(e)": ("Divorcé(e)", "Divorced")}),
    Field("revenu_mensuel", "sirh", "number", "core", ("Revenu mensuel", "Monthly income"),
          minimum=0, unit="€"),
    Field("departement", "sirh", "category", "optional", ("Département", "Department"),
          categories=("Commercial", "Consulting", "Ressources Humaines"),
          value_labels={"Commercial": ("Commercial", "Sales"), **_HUMAN_RESOURCES}),
    Field("poste", "sirh", "category", "optional", ("Poste", "Job"),
          categories=("Assistant de Direction", "Cadre Commercial", "Consultant", "Directeur Technique",
                      "Manager", "Représentant Commercial", "Ressources Humaines", "Senior Manager",
                      "Tech Lead"),
          value_labels={"Assistant de Direction": ("Assistant de direction", "Executive assistant"),
                        "Cadre Commercial": ("Cadre commercial", "Sales executive"),
                        "Directeur Technique": ("Directeur technique", "Technical director"),
                        "Représentant Commercial": ("Représentant commercial", "Sales representative"),
                        **_HUMAN_RESOURCES}),
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
          categories=("Oui", "Non"), aliases=("heures_supp", "heures_suppl", "heures_supplementaires"),
          value_labels=_YES_NO, everyday=True),
    Field("augmentation_salaire_precedente", "eval", "percent", "optional",
          ("Dernière augmentation", "Last pay rise"), minimum=0, unit="%",
          aliases=("augementation_salaire_precedente", "augmentation_salaire_precedente_pourcent")),
    Field("nombre_participation_pee", "sondage", "integer", "core",
          ("Participations au PEE", "Savings-plan take-ups"), minimum=0, aliases=("pee", "pea")),
    Field("nb_formations_suivies", "sondage", "integer", "optional",
          ("Formations suivies", "Courses last year"), minimum=0),
    Field("distance_domicile_travail", "sondage", "number", "core",
          ("Distance domicile-travail", "Distance from home to work"), minimum=0, unit="km",
          caution=(
              "La distance domicile-travail, que le modèle utilise, renseigne indirectement sur le lieu de "
              "résidence, lui aussi un motif interdit (Code du travail, art. L1132-1) : « churn train "
              "--exclude distance_domicile_travail » apprend un modèle sans elle.",
              "The distance from home to work, which the model uses, is a proxy for the place of residence, "
              "a prohibited ground too (French labour code, art. L1132-1): “churn train "
              "--exclude distance_domicile_travail” trains a model without it.",
          )),
    Field("niveau_education", "sondage", "integer", "optional",
          ("Niveau d'éducation", "Education level"), minimum=1, maximum=5),
    Field("domaine_etude", "sondage", "category", "optional", ("Domaine d'étude", "Field of study"),
          categories=("Autre", "Entrepreunariat", "Infra & Cloud", "Marketing", "Ressources Humaines",
                      "Transformation Digitale"),
          value_aliases={"entrepreneuriat": "Entrepreunariat"},
          value_labels={"Autre": ("Autre", "Other"),
                        "Entrepreunariat": ("Entrepreneuriat", "Entrepreneurship"),
                        "Transformation Digitale": ("Transformation digitale", "Digital transformation"),
                        **_HUMAN_RESOURCES}),
    Field("frequence_deplacement", "sondage", "category", "optional",
          ("Fréquence des déplacements", "Business travel"),
          categories=("Aucun", "Occasionnel", "Frequent"), everyday=True,
          value_labels={"Aucun": ("Aucun", "None"), "Occasionnel": ("Occasionnel", "Occasional"),
                        "Frequent": ("Fréquent", "Frequent")}),
    Field("annees_depuis_la_derniere_promotion", "sondage", "integer", "core",
          ("Années depuis la dernière promotion", "Years since the last promotion"), minimum=0, unit="ans",
          aliases=("annees_promo",)),
    Field("annees_sous_responsable_actuel", "sondage", "integer", "optional",
          ("Années sous le responsable actuel", "Years under the current manager"), minimum=0, unit="ans",
          aliases=("annes_sous_responsable_actuel",)),
    Field("a_quitte_l_entreprise", "sondage", "category", "target", ("A quitté l'entreprise", "Has left"),
          categories=("Oui", "Non"), value_labels=_YES_NO),
)  # fmt: skip

_EXTRACTS = (
    Extract(
        "sirh",
        "extrait_sirh",
        "id_employee",
        constant_columns=("nombre_heures_travailless",),
        labels=("Dossier du personnel", "Personnel file"),
    ),
    Extract(
        "eval",
        "extrait_eval",
        "eval_number",
        "E_",
        "E_ and the employee's number",
        labels=("Évaluation annuelle", "Annual review"),
    ),
    Extract(
        "sondage",
        "extrait_sondage",
        "code_sondage",
        id_form="the employee's number, padded with zeros or not",
        constant_columns=("nombre_employee_sous_responsabilite", "ayant_enfants"),
        labels=("Sondage", "Survey"),
    ),
)

_IMPLAUSIBLE = (
    ("annee_experience_totale", "age", 16),
    ("annees_dans_l_entreprise", "annee_experience_totale", 0),
    ("annees_dans_le_poste_actuel", "annees_dans_l_entreprise", 0),
    ("annees_depuis_la_derniere_promotion", "annees_dans_l_entreprise", 0),
    ("annees_sous_responsable_actuel", "annees_dans_l_entreprise", 0),
)

# The actionable fields, in the order in which suggestions are made: first what can be decided soonest and
# at the least cost. No others: satisfaction and reviews are what people say, to be earned and not set; age,
# family, studies, experience and seniority are who somebody is; job, level and department are another post.
_LEVERS = {
    "heure_supplementaires": Lever(order=("Oui", "Non")),
    "frequence_deplacement": Lever(order=("Frequent", "Occasionnel", "Aucun")),
    "distance_domicile_travail": Lever(step=-1, means=("télétravail", "remote work")),
    "nb_formations_suivies": Lever(step=1),
    "nombre_participation_pee": Lever(step=1),
    "annees_depuis_la_derniere_promotion": Lever(reset=0, means=("promotion", "promotion")),
    "augmentation_salaire_precedente": Lever(step=1),
    "revenu_mensuel": Lever(step=50, factor=1.5),
}

_EXAMPLE: Example = {
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

_CALM_EXAMPLE: Example = {
    "revenu_mensuel": 6800,
    "annee_experience_totale": 14,
    "annees_dans_l_entreprise": 9,
    "annees_dans_le_poste_actuel": 5,
    "satisfaction_employee_environnement": 4,
    "satisfaction_employee_equilibre_pro_perso": 3,
    "heure_supplementaires": "Non",
    "nombre_participation_pee": 1,
    "distance_domicile_travail": 4,
    "annees_depuis_la_derniere_promotion": 1,
}

TECHNOVA = Dictionary(
    fields=_FIELDS,
    left="Oui",
    extracts=_EXTRACTS,
    implausible=_IMPLAUSIBLE,
    levers=_LEVERS,
    audited=("genre", "age", "statut_marital", "departement"),
    example=_EXAMPLE,
    calm_example=_CALM_EXAMPLE,
    example_changes={"heure_supplementaires": "Non"},
)
