"""The BentoML model store: where trained pipelines are kept with what they were measured to do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import bentoml
from bentoml.exceptions import BentoMLException, NotFound

from churn import domain
from churn.domain import Field
from churn.errors import ModelError

if TYPE_CHECKING:
    # Importing scikit-learn takes seconds, and whoever only looks a model up does not need it.
    from sklearn.pipeline import Pipeline

NAME = "churn"

# The fitted splines unpickle only under the minor versions that pickled them.
_PICKLE_LIBRARIES = ("scikit-learn", "scipy")
_LIBRARIES = ("bentoml", "numpy", "pandas", *_PICKLE_LIBRARIES)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A pipeline from the store with what serving needs to know of it.

    `seen` has the smallest and largest training value of each number; `metadata` is everything
    that was exported with it.
    """

    tag: str
    pipeline: "Pipeline"
    threshold: float
    fields: tuple[Field, ...]
    seen: Mapping[str, tuple[float, float]]
    metadata: Mapping[str, Any]


def save(pipeline: "Pipeline", report: Mapping[str, Any], fingerprint: str) -> str:
    """Put a fitted pipeline in the store and return its tag.

    `report` is the training report as plain values; `fingerprint` that of the training data.
    """
    metadata = {
        **report,
        "data_fingerprint": fingerprint,
        "library_versions": {name: version(name) for name in _LIBRARIES},
    }
    saved = bentoml.sklearn.save_model(NAME, pipeline, metadata=metadata)
    return str(saved.tag)


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
    """Load a model from the store.

    Raises:
        ModelError: there is none, or it was pickled by library versions that this process lacks.
    """
    entry = find(tag)
    metadata: dict[str, Any] = dict(entry.info.metadata)
    _check_libraries(str(entry.tag), metadata["library_versions"])
    return ServedModel(
        tag=str(entry.tag),
        pipeline=bentoml.sklearn.load_model(entry),
        threshold=float(metadata["threshold"]),
        fields=tuple(domain.BY_NAME[name] for name in metadata["fields"]),
        seen={name: (low, high) for name, (low, high) in metadata["seen"].items()},
        metadata=metadata,
    )


def _check_libraries(tag: str, trained_with: Mapping[str, str]) -> None:
    for name in _PICKLE_LIBRARIES:
        there, here = trained_with[name], version(name)
        if there.split(".")[:2] != here.split(".")[:2]:
            raise ModelError(
                f"model {tag} was trained with {name} {there}, here is {here}: "
                "train again with `churn train`, or install the versions of uv.lock with `uv sync`"
            )
