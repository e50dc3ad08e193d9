"""Which model is served: the one that somebody promoted, and those before it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from churn.core.atomic_file import replacing
from churn.core.errors import ModelError
from churn.core.operator import operator

FILE = "churn-promotions.json"

Promotion = Mapping[str, str]


def history(home: Path) -> list[Promotion]:
    """Return the promotions that stand, the newest last: `tag`, `at`, `by`.

    Raises:
        ModelError: the file that keeps them is damaged.
    """
    path = home / FILE
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["promotions"]
        return [{"tag": str(one["tag"]), "at": str(one["at"]), "by": str(one["by"])} for one in found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: delete it, then run `churn model promote TAG`") from error


def promoted(home: Path) -> str | None:
    """Return the tag of the model that is to be served, if one was promoted."""
    found = history(home)
    return found[-1]["tag"] if found else None


def promote(home: Path, tag: str) -> None:
    """Make a model the one to serve."""
    one = {"tag": tag, "at": datetime.now(UTC).isoformat(timespec="seconds"), "by": operator() or "unknown"}
    _write(home, [*history(home), one])


def rollback(home: Path) -> str:
    """Take the last promotion back; return the tag of the model that is to be served again.

    Raises:
        ModelError: no model was promoted before it.
    """
    found = history(home)
    if len(found) < 2:
        raise ModelError("nothing to go back to: no model was promoted before this one")
    _write(home, found[:-1])
    return found[-2]["tag"]


def _write(home: Path, promotions: list[Promotion]) -> None:
    """Replace the file as a whole, so that no reader sees half of it."""
    home.mkdir(parents=True, exist_ok=True)
    with replacing(home / FILE) as part:
        part.write_text(json.dumps({"promotions": promotions}, indent=1), encoding="utf-8")
