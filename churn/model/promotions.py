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
        promotions = json.loads(path.read_text(encoding="utf-8"))["promotions"]
        return [{name: str(promotion[name]) for name in ("tag", "at", "by")} for promotion in promotions]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: delete it, then run `churn model promote TAG`") from error


def promoted(home: Path) -> str | None:
    """Return the tag of the model that is to be served, if one was promoted."""
    promotions = history(home)
    return promotions[-1]["tag"] if promotions else None


def promote(home: Path, tag: str) -> None:
    """Make a model the one to serve."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    _write(home, [*history(home), {"tag": tag, "at": at, "by": operator() or "unknown"}])


def rollback(home: Path) -> str:
    """Take the last promotion back; return the tag of the model that is to be served again.

    Raises:
        ModelError: no model was promoted before it.
    """
    promotions = history(home)
    if len(promotions) < 2:
        raise ModelError("nothing to go back to: no model was promoted before this one")
    _write(home, promotions[:-1])
    return promotions[-2]["tag"]


def _write(home: Path, promotions: list[Promotion]) -> None:
    """Replace the file as a whole, so that no reader sees half of it."""
    home.mkdir(parents=True, exist_ok=True)
    with replacing(home / FILE) as part:
        part.write_text(json.dumps({"promotions": promotions}, indent=1), encoding="utf-8")
