"""Which model serves: promoted, rolled back, never chosen silently."""

import json
from pathlib import Path

import pytest

from churn.core.errors import ModelError
from churn.model import promotions


def test_nothing_is_promoted_at_first(tmp_path: Path) -> None:
    assert promotions.promoted(tmp_path) is None
    assert promotions.history(tmp_path) == []


def test_the_last_promotion_stands_and_is_signed(tmp_path: Path) -> None:
    promotions.promote(tmp_path / "new", "churn:a")
    promotions.promote(tmp_path / "new", "churn:b")
    assert promotions.promoted(tmp_path / "new") == "churn:b"
    last = promotions.history(tmp_path / "new")[-1]
    assert last["by"]
    assert last["at"].endswith("+00:00")


def test_who_has_no_name_may_promote_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container whose user is in no list of users.
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    promotions.promote(tmp_path, "churn:a")
    assert promotions.history(tmp_path)[-1]["by"] == "unknown"


def test_rolling_back_takes_one_promotion_back_at_a_time(tmp_path: Path) -> None:
    for tag in ("churn:a", "churn:b", "churn:c"):
        promotions.promote(tmp_path, tag)
    assert promotions.rollback(tmp_path) == "churn:b"
    assert promotions.rollback(tmp_path) == "churn:a"
    with pytest.raises(ModelError, match="nothing to go back to"):
        promotions.rollback(tmp_path)
    assert promotions.promoted(tmp_path) == "churn:a"


def test_no_half_file_is_left(tmp_path: Path) -> None:
    promotions.promote(tmp_path, "churn:a")
    assert [path.name for path in tmp_path.iterdir()] == [promotions.FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"promotions": [{"tag": "churn:a"}]})])
def test_a_damaged_file_is_named_with_what_mends_it(text: str, tmp_path: Path) -> None:
    (tmp_path / promotions.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"churn-promotions\.json is damaged: delete it, then run `churn model promote"
    ):
        promotions.promoted(tmp_path)
