"""The BentoML model store: where trained pipelines are kept with what they were measured to do."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bentoml
from bentoml.exceptions import BentoMLException, NotFound

from churn import domain, scorecard
from churn.domain import Field
from churn.errors import ModelError
from churn.scorecard import Scorecard

if TYPE_CHECKING:
    # Importing scikit-learn takes seconds, and serving does without it.
    from sklearn.pipeline import Pipeline

NAME = "churn"
PICKLE, SCORECARD = "saved_model.pkl", "scorecard.json"

_LIBRARIES = ("bentoml", "numpy", "pandas", "scikit-learn", "scipy")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model of the store with what serving needs to know of it.

    `seen` has the smallest and largest training value of each number; `metadata` is everything
    that was exported with it.
    """

    tag: str
    scorecard: Scorecard
    threshold: float
    fields: tuple[Field, ...]
    seen: Mapping[str, tuple[float, float]]
    metadata: Mapping[str, Any]


def save(pipeline: "Pipeline", compiled: Scorecard, report: Mapping[str, Any], fingerprint: str) -> str:
    """Put a fitted pipeline and its scorecard in the store and return their tag.

    `report` is the training report as plain values; `fingerprint` that of the training data.
    `bentoml.sklearn.load_model` gives the scikit-learn pipeline back.
    """
    import joblib  # noqa: PLC0415 - only training pickles, and has joblib by scikit-learn

    metadata = {
        **report,
        "data_fingerprint": fingerprint,
        "library_versions": {name: version(name) for name in _LIBRARIES},
    }
    with bentoml.models.create(NAME, module="bentoml.sklearn", metadata=metadata) as entry:
        joblib.dump(pipeline, entry.path_of(PICKLE))
        Path(entry.path_of(SCORECARD)).write_text(json.dumps(compiled.to_dict()), encoding="utf-8")
    return str(entry.tag)


def find(tag: str = f"{NAME}:latest") -> bentoml.Model:
    """Return the store's entry for a tag.

    Raises:
        ModelError: there is none; the message names the command that makes one.
    """
    try:
        return bentoml.models.get(tag)
    except NotFound as error:
        home = os.environ.get("BENTOML_HOME", "~/bentoml")
        raise ModelError(
            f"no model {tag!r} in the store {home}: run `churn train --data DIR`, "
            "or point BENTOML_HOME at the store that holds it"
        ) from error
    except (BentoMLException, ValueError) as error:
        raise ModelError(
            f"CHURN_MODEL={tag!r} is no model tag: expected {NAME}:latest or {NAME}:VERSION"
        ) from error


def load(tag: str = f"{NAME}:latest") -> ServedModel:
    """Load a model from the store; nothing is unpickled.

    Raises:
        ModelError: there is none, or it is not one of ours.
    """
    entry = find(tag)
    metadata: dict[str, Any] = dict(entry.info.metadata)
    try:
        compiled = json.loads(Path(entry.path_of(SCORECARD)).read_text(encoding="utf-8"))
        return ServedModel(
            tag=str(entry.tag),
            scorecard=scorecard.from_dict(compiled),
            threshold=float(metadata["threshold"]),
            fields=tuple(domain.BY_NAME[name] for name in metadata["fields"]),
            seen={name: (low, high) for name, (low, high) in metadata["seen"].items()},
            metadata=metadata,
        )
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"model {entry.tag} was not exported by this version of churn: run `churn train --data DIR`"
        ) from error
