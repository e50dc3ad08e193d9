"""The models of the store, read off its files: to ask BentoML takes seconds of imports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from churn.core import places
from churn.core.errors import ModelError

NAME = "churn"
FILE = "model.yaml"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the store; `facts` is what was kept of its report, by an older version of churn less."""

    tag: str
    created: datetime
    facts: Mapping[str, Any]


def listed(home: Path) -> list[Listed]:
    """Return our models in a BENTOML_HOME, and that of the Bento where this is one, the newest first.

    Raises:
        ModelError: an entry is damaged.
    """
    entries = {
        file.parent.name: _read(file) for folder in _folders(home) for file in folder.glob(f"*/{FILE}")
    }
    return sorted(entries.values(), key=lambda entry: entry.created, reverse=True)


def facts_of(home: Path, tag: str) -> Mapping[str, Any] | None:
    """Return what is known of the model with this whole tag; None where it is not there.

    Raises:
        ModelError: its entry is damaged.
    """
    folder = folder_of(home, tag)
    return None if folder is None else _read(folder / FILE).facts


def folder_of(home: Path, tag: str) -> Path | None:
    """Return the folder of the model with this whole tag; None where it is not there."""
    name, _, version = tag.partition(":")
    for store in _folders(home):
        folder = store / version
        if name == NAME and folder.name == version and (folder / FILE).is_file():
            return folder
    return None


def bentos_with(home: Path, tag: str) -> list[str]:
    """Return the tags of the Bentos in a BENTOML_HOME that need a model.

    Raises:
        ModelError: a Bento's description is damaged.
    """
    return sorted(
        f"{path.parent.parent.name}:{path.parent.name}"
        for path in (home / "bentos").glob("*/*/bento.yaml")
        if tag in _models_of(path)
    )


def _models_of(path: Path) -> set[str]:
    try:
        return {model["tag"] for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ModelError(f"{path} is damaged: remove its folder") from error


def _folders(home: Path) -> list[Path]:
    return [place / "models" / NAME for place in (home, places.BENTO) if place]


def _read(path: Path) -> Listed:
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
        tag = f"{plain['name']}:{plain['version']}"
        return Listed(tag, datetime.fromisoformat(str(plain["creation_time"])), plain["metadata"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ModelError(f"{path} is damaged: remove its folder, then run `churn train`") from error
