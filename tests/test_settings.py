from pathlib import Path

import pytest

from churn.core.errors import SettingsError
from churn.core.settings import is_placeholder, load


def test_the_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    settings = load()
    assert (settings.host, settings.port, settings.model) == ("127.0.0.1", 3000, "")
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/churn.db"


def test_the_environment_is_honoured_and_beats_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "PORT=4000\nDATABASE_URL=postgresql://h/d\nAPI_USERNAME=marie\nUNKNOWN=1\n"
    )
    monkeypatch.setenv("PORT", "5000")
    monkeypatch.setenv("DATABASE_URL", "")  # empty is unset
    monkeypatch.setenv("CHURN_ENV_FILE", str(tmp_path / ".env"))
    settings = load()
    assert (settings.port, settings.api_username) == (5000, "marie")
    assert settings.database_url.get_secret_value() == "postgresql://h/d"


def test_a_variable_of_another_program_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "MODEL", "WORKERS", "ACCESS_LOG"):  # some shells set HOST
        monkeypatch.setenv(name, "7")
    settings = load()
    assert (settings.host, settings.model, settings.workers, settings.access_log) == (
        "127.0.0.1",
        "",
        1,
        False,
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "PORT: Input should be a valid integer"),
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535"),
        (
            "API_TOKEN",
            "changeme-changeme-changeme",
            "API_TOKEN: is a placeholder: run `churn token issue NAME`",
        ),
        ("API_TOKEN", "short-one", "API_TOKEN: is too short: expected at least 16"),
        ("API_TOKEN", "clé-secrète-de-la-paie", "API_TOKEN: cannot be sent in a header"),
        ("API_PASSWORD", "<password>", "API_PASSWORD: is a placeholder"),
        ("API_PASSWORD", "1234567", "API_PASSWORD: is too short: expected at least 8"),
        ("API_PASSWORD", "Password123", "API_PASSWORD: is a placeholder"),
        ("API_TOKEN", "0000-0000-0000-0000", "API_TOKEN: is a placeholder"),
        ("CHURN_TRUSTED_PROXIES", "10.0.0.0/8, proxy.local", "CHURN_TRUSTED_PROXIES: expected addresses and"),
        ("CHURN_TRUSTED_PROXIES", "10.1.2.3/8", "CHURN_TRUSTED_PROXIES: expected addresses and networks"),
        ("CHURN_PSEUDONYM_KEY", "change-me-to-something", "CHURN_PSEUDONYM_KEY: is a placeholder"),
        ("CHURN_PSEUDONYM_KEY", "too few of them", "CHURN_PSEUDONYM_KEY: is too short: expected at least 16"),
    ],
)
def test_an_unsafe_or_malformed_setting_is_named_but_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message) as caught:
        load()
    assert value not in str(caught.value)


@pytest.mark.parametrize("secret", ["aB3<kd9!vQz7", "Mastodon-4711-ride", "x9xxxxqQ1"])
def test_a_good_secret_is_no_placeholder(secret: str) -> None:
    assert not is_placeholder(secret)


def test_secrets_do_not_show_in_a_printed_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "Zm9yIHRlc3RzIG9ubHk"
    for name in ("API_TOKEN", "API_PASSWORD", "CHURN_PSEUDONYM_KEY"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://churn:{secret}@db/churn")
    settings = load()
    assert secret not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_pseudonyms_need_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_PSEUDONYMIZE", "true")
    with pytest.raises(SettingsError, match="CHURN_PSEUDONYMIZE needs CHURN_PSEUDONYM_KEY: a secret of"):
        load()


def test_the_secrets_of_the_example_file_are_refused_or_empty() -> None:
    example = (Path(__file__).parents[1] / ".env.example").read_text()
    pairs = [line.split("=", 1) for line in example.splitlines() if "=" in line and not line.startswith("#")]
    secrets = {name: value for name, value in pairs if name in ("API_PASSWORD", "API_TOKEN")}
    assert set(secrets) == {"API_PASSWORD", "API_TOKEN"}
    assert all(is_placeholder(value) for value in secrets.values())
