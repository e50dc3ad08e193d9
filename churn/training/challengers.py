"""Other kinds of models on the same rows and folds, so that the report can show what additivity costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from churn.dictionary.field import Field
from churn.training.evaluation import MeanSd, score, summarise_folds
from churn.training.learner import Learner, probabilities
from churn.training.plan import Plan, Workers
from churn.training.thresholds import HasLeft, Probabilities

Predict = Callable[[pd.DataFrame, HasLeft, pd.DataFrame], Probabilities]


@dataclass(frozen=True, slots=True)
class Challenger:
    """One kind of model and its cross-validated figures, as `TrainingReport.metrics`."""

    name: str
    metrics: dict[str, MeanSd]


def entrants(fields: Sequence[Field], learner: Learner, protected: Sequence[Field]) -> dict[str, Predict]:
    """Return who takes part: the model itself with other fields (the `protected` ones too), and other kinds.

    Explainable boosting takes part where `interpret-core` is installed, which is a development
    dependency. Each is a function of training rows, who of them left, and rows to predict.
    """
    further = tuple(f for f in protected if f not in fields)
    core = tuple(f for f in fields if f.role == "core")
    entrants: dict[str, Predict] = {}
    if further:
        entrants["with_protected"] = _additive((*fields, *further), learner)
    if core and len(core) < len(fields):
        entrants["core_only"] = _additive(core, learner)
    entrants["linear"] = _plain(fields, _linear)
    entrants["forest"] = _plain(fields, _forest)
    entrants["boosting"] = _plain(fields, _boosting)
    if find_spec("interpret"):
        entrants["ebm"] = _plain(fields, _explainable_boosting)
    return entrants


def measure(
    predict: Predict, employees: pd.DataFrame, has_left: HasLeft, plan: Plan, workers: Workers
) -> dict[str, MeanSd]:
    """Return one challenger's figures on the folds that the model itself was measured on."""
    splits = list(plan.splits.split(employees, has_left))
    predictions = workers.each(
        predict,
        ((employees.iloc[inside], has_left[inside], employees.iloc[outside]) for inside, outside in splits),
    )
    everyone = np.zeros((plan.repeats, len(has_left)))
    for number, (_, outside) in enumerate(splits):
        everyone[number // plan.folds, outside] = predictions[number]
    rows = [
        score(has_left[outside], predicted)
        for (_, outside), predicted in zip(splits, predictions, strict=True)
    ]
    return summarise_folds(rows, has_left, everyone)


def _additive(fields: tuple[Field, ...], learner: Learner) -> Predict:
    """Return the model itself, learned from other fields."""
    names = [field.name for field in fields]
    other = Learner(fields, learner.candidates, learner.seed)

    def predict(employees: pd.DataFrame, has_left: HasLeft, unseen: pd.DataFrame) -> Probabilities:
        return probabilities(other(employees[names], has_left).pipeline, unseen[names])

    return predict


def _plain(fields: Sequence[Field], build: Callable[[Sequence[Field]], Any]) -> Predict:
    names = [field.name for field in fields]

    def predict(employees: pd.DataFrame, has_left: HasLeft, unseen: pd.DataFrame) -> Probabilities:
        return probabilities(build(fields).fit(employees[names], has_left), unseen[names])

    return predict


def _encoder(fields: Sequence[Field], numbers: Any, categories: Any) -> ColumnTransformer:
    numeric = [field.name for field in fields if field.numeric]
    categorical = [field.name for field in fields if not field.numeric]
    blocks = [("numbers", numbers, numeric), ("categories", categories, categorical)]
    return ColumnTransformer([block for block in blocks if block[2]])


def _linear(fields: Sequence[Field]) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    encode = _encoder(fields, numbers, OneHotEncoder(handle_unknown="ignore"))
    return make_pipeline(encode, LogisticRegression(C=0.5, max_iter=1000))


def _forest(fields: Sequence[Field]) -> Pipeline:
    numbers = SimpleImputer(keep_empty_features=True)
    encode = _encoder(fields, numbers, OneHotEncoder(handle_unknown="ignore"))
    return make_pipeline(encode, RandomForestClassifier(300, min_samples_leaf=3, random_state=0))


def _boosting(fields: Sequence[Field]) -> Pipeline:
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    # Small trees, few of them: with more, this data is learned by heart.
    boosting = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=150, max_leaf_nodes=6, l2_regularization=1.0, random_state=0
    )
    return make_pipeline(_encoder(fields, "passthrough", ordinal), boosting)


def _explainable_boosting(_: Sequence[Field]) -> Any:
    # A development dependency, which training does without.
    from interpret.glassbox import ExplainableBoostingClassifier  # noqa: PLC0415

    return ExplainableBoostingClassifier(outer_bags=4, random_state=0, n_jobs=1)
