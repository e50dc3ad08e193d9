from pathlib import Path

import pytest
from sqlalchemy import text

from churn.errors import SettingsError
from churn.storage.engine import is_embedded, make_engine, parse_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_means_psycopg2(scheme: str) -> None:
    assert (
        parse_url(f"{scheme}://u:p@h/d").render_as_string(hide_password=False)
        == "postgresql+psycopg2://u:p@h/d"
    )


@pytest.mark.parametrize(
    "url", ["mysql://u:s3cret@h/d", "sqlite://", "sqlite:///:memory:", "not a url s3cret"]
)
def test_other_databases_are_refused_by_name_but_not_by_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"expected sqlite:///path") as caught:
        make_engine(url)
    assert "s3cret" not in str(caught.value)


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/new/folder/churn.db")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_only_sqlite_is_embedded() -> None:
    assert is_embedded("sqlite:////tmp/churn.db")
    assert not is_embedded("postgresql://h/d")
