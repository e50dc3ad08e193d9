"""Secrets in files (`NAME_FILE`), in the environment and in `.env`."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import Engine

from churn.access.users import sign_in
from churn.cli.main import main
from churn.core.errors import SettingsError
from churn.core.secret_files import MAX_BYTES, NAMES
from churn.core.settings import Settings, load

SECRET = "hV7rWm3TqZ9xKc5LnB2d"
OTHER = "yP4sGf8JwQ6vXa1ReM3k"

Write = Callable[[str | bytes], str]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Return what writes a file and returns its path."""

    def write(content: str | bytes) -> str:
        path = tmp_path / f"secret-{len(list(tmp_path.iterdir()))}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the `.env` that is read."""
    path = tmp_path / ".env"
    monkeypatch.setenv("CHURN_ENV_FILE", str(path))
    return path


def token() -> str:
    return load().api_token.get_secret_value()


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load()
    return str(caught.value)


def test_every_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, written: Write) -> None:
    values = dict.fromkeys(NAMES, SECRET) | {"DATABASE_URL": f"postgresql://churn:{SECRET}@db/churn"}
    for name, value in values.items():
        monkeypatch.setenv(f"{name}_FILE", written(value + "\n"))
    settings = load()
    assert settings.api_username == SECRET
    assert settings.api_password == settings.api_token == SecretStr(SECRET)
    assert settings.pseudonym_key == settings.hf_token == SecretStr(SECRET)
    assert settings.database_url.get_secret_value() == values["DATABASE_URL"]
    kinds = {name: field.annotation for name, field in Settings.model_fields.items()}
    assert {name for name, kind in kinds.items() if kind is SecretStr} == {
        "api_password", "api_token", "hf_token", "pseudonym_key", "database_url"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (SECRET, SECRET),
        (f"{SECRET}\n", SECRET),
        (f"{SECRET}\r\n", SECRET),
        (f"\ufeff{SECRET}", SECRET),
        ("  a pass phrase, é \n", "  a pass phrase, é "),
        ("two newlines\n\n", "two newlines\n"),
    ],
)
def test_the_text_is_the_value_without_the_newline_at_its_end(
    monkeypatch: pytest.MonkeyPatch, written: Write, content: str, value: str
) -> None:
    monkeypatch.setenv("API_PASSWORD_FILE", written(content))
    assert load().api_password.get_secret_value() == value


class TestOrder:
    """The environment wins over `.env`, whichever of the two forms each has."""

    def test_a_file_may_be_named_in_the_env_file(self, env_file: Path, written: Write) -> None:
        env_file.write_text(f"API_TOKEN_FILE={written(SECRET)}\n")
        assert token() == SECRET

    def test_a_variable_beats_a_file_of_the_env_file_which_is_not_even_read(
        self, monkeypatch: pytest.MonkeyPatch, env_file: Path
    ) -> None:
        env_file.write_text("API_TOKEN_FILE=/nowhere/at/all\n")
        monkeypatch.setenv("API_TOKEN", SECRET)
        assert token() == SECRET

    def test_a_file_of_the_environment_beats_the_env_file(
        self, monkeypatch: pytest.MonkeyPatch, env_file: Path, written: Write
    ) -> None:
        monkeypatch.setenv("API_TOKEN_FILE", written(SECRET))
        env_file.write_text(f"API_TOKEN={OTHER}\n")
        assert token() == SECRET
        env_file.write_text(f"API_TOKEN_FILE={written(OTHER)}\n")
        assert token() == SECRET

    def test_an_empty_name_is_none(self, monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
        env_file.write_text(f"API_TOKEN={SECRET}\nAPI_TOKEN_FILE=\n")
        monkeypatch.setenv("API_TOKEN_FILE", "")
        assert token() == SECRET

    def test_both_forms_at_once_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, env_file: Path, written: Write
    ) -> None:
        env_file.write_text(f"API_TOKEN_FILE={written(SECRET)}\nAPI_TOKEN={SECRET}\n")
        assert refusal() == "API_TOKEN and API_TOKEN_FILE are both set: set one of them"
        env_file.unlink()
        monkeypatch.setenv("DATABASE_URL_FILE", written(f"postgresql://churn:{SECRET}@db/churn"))
        monkeypatch.setenv("DATABASE_URL", "sqlite:////tmp/churn.db")
        assert refusal() == "DATABASE_URL and DATABASE_URL_FILE are both set: set one of them"


class TestFilesThatCannotBeUsed:
    """The variable and the path are named, and nothing of what is in the file."""

    def refused(self, monkeypatch: pytest.MonkeyPatch, path: str | Path, reason: str) -> None:
        monkeypatch.setenv("API_PASSWORD_FILE", str(path))
        assert refusal() == f"API_PASSWORD_FILE: {path} {reason}"

    def test_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.refused(monkeypatch, tmp_path / "none", "cannot be read (No such file or directory)")

    def test_not_readable(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to(tmp_path / "loop")  # not even by root
        reason = os.strerror(errno.ELOOP)
        self.refused(monkeypatch, tmp_path / "loop", f"cannot be read ({reason})")

    def test_a_folder_or_a_pipe(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.refused(monkeypatch, tmp_path, "cannot be read (it is no file)")
        os.mkfifo(tmp_path / "pipe")
        self.refused(monkeypatch, tmp_path / "pipe", "cannot be read (it is no file)")

    @pytest.mark.parametrize("content", ["", "\n", " \r\n"])
    def test_empty(self, monkeypatch: pytest.MonkeyPatch, written: Write, content: str) -> None:
        self.refused(monkeypatch, written(content), "is empty: write the secret into it")

    def test_no_text(self, monkeypatch: pytest.MonkeyPatch, written: Write) -> None:
        self.refused(monkeypatch, written(b"s3cret\xff\xfe"), "is no text in UTF-8")

    def test_huge(self, monkeypatch: pytest.MonkeyPatch, written: Write) -> None:
        self.refused(monkeypatch, written("s" * (MAX_BYTES + 1)), "is too large: expected at most 64 KiB")

    def test_a_secret_where_its_path_should_be_is_not_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_TOKEN_FILE", SECRET)
        assert refusal() == "API_TOKEN_FILE: expected the path of a file, from the root on"

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("API_PASSWORD", "changeme-now", "API_PASSWORD: is a placeholder"),
            ("API_PASSWORD", "s3cret", "API_PASSWORD: is too short"),
            ("API_TOKEN", "s3cret-s3cret", "API_TOKEN: is too short"),
            ("API_TOKEN", f"{SECRET}\n{OTHER}", "API_TOKEN: cannot be sent in a header"),
            ("CHURN_PSEUDONYM_KEY", "your-key-goes-here", "CHURN_PSEUDONYM_KEY: is a placeholder"),
        ],
    )
    def test_unsafe_secrets_are_refused_in_files_too(
        self, monkeypatch: pytest.MonkeyPatch, written: Write, name: str, value: str, message: str
    ) -> None:
        monkeypatch.setenv(f"{name}_FILE", written(value))
        said = refusal()
        assert said.startswith(message)
        assert value not in said


class TestTheEnvFileItself:
    def test_no_text(self, env_file: Path) -> None:
        env_file.write_bytes(b"API_TOKEN=s3cret\xff\n")
        assert refusal() == f"{env_file} cannot be read (it is no text in UTF-8)"

    def test_not_readable(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        path = Path("/proc/self/mem")  # not even by root, who may read what has no permissions
        if not path.exists():
            path = tmp_path / "settings"
            path.touch(mode=0)
        monkeypatch.setenv("CHURN_ENV_FILE", str(path))
        assert refusal().startswith(f"{path} cannot be read (")


def test_a_command_takes_its_database_from_the_file(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, written: Write
) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", written(engine.url.render_as_string(hide_password=False) + "\n"))
    added = CliRunner().invoke(main, ["user", "add", "marie"], input=f"{SECRET}\n{SECRET}\n")
    assert added.output.endswith("user marie added: analyst\n")
    assert sign_in(engine, "marie", SECRET).is_good
