"""The settings, from the environment, `.env` and secret files; built at the edges, never at import."""

import ipaddress
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from churn.core import places
from churn.core.duration import read_duration
from churn.core.errors import SettingsError
from churn.core.secret_files import with_files

KEEP_ALIVE = 75  # seconds: load balancers keep idle connections for 60, and should be the first to end them
MIN_PASSWORD = 8  # characters
MAX_PASSWORD = 1024  # bytes; they travel in a header
MIN_TOKEN = 16  # characters

# Placeholders of examples and tutorials, and the passwords that everyone tries first.
_PLACEHOLDER_PREFIXES = (
    "changeme", "change-me", "change_me", "changez", "placeholder", "example", "replace-me",
    "replace_me", "replaceme", "your-", "your_", "<", "xxxx", "0000", "****", "....",
)  # fmt: skip
_COMMON = {
    "password", "password1", "password123", "passw0rd", "motdepasse", "motdepasse1", "12345678", "123456789",
    "1234567890", "azertyuiop", "qwertyuiop", "azerty123", "qwerty123", "admin123", "adminadmin", "iloveyou",
    "administrator", "administrateur", "letmein1", "secret123",
}  # fmt: skip

# The settings that also concern others, or did so first; the names of all others begin with CHURN_.
_UNPREFIXED = {"bentoml_home", "database_url", "port", "api_username", "api_password", "api_token"}
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")


def _default_frame_ancestors() -> tuple[str, ...]:
    """Return the sites that may frame our pages by default: on a Hugging Face Space, that site."""
    return ("https://huggingface.co",) if os.environ.get("SPACE_ID") else ()


def variable_of(field: str) -> str:
    """Return the name of the variable that a field is set by."""
    return field.upper() if field in _UNPREFIXED else f"CHURN_{field.upper()}"


class Settings(BaseSettings):
    """The settings that come from the environment.

    A variable is named like its field, in upper case, with the prefix CHURN_ unless the field is in
    _UNPREFIXED. Values that may hold a secret are SecretStr, and may be in a file that NAME_FILE names. Use
    `load` to build the settings: its errors are for people.
    """

    model_config = SettingsConfigDict(
        alias_generator=lambda field: field if field in _UNPREFIXED else variable_of(field),
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    bentoml_home: Path = Field(default_factory=lambda: Path.home() / "bentoml")
    database_url: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=1, le=65535)
    model: str = Field(default_factory=places.bento_model)  # without, the promoted one
    workers: int = Field(1, ge=1, le=64)
    user_rate: float = Field(50.0, ge=0, le=1e6)
    token_rate: float = Field(0.0, ge=0, le=1e6)
    access_log: bool = False
    ui: bool = True  # the page of Gradio's, where that is installed
    journal_fallback: Literal["spool", "refuse"] = "spool"
    spool_mb: int = Field(1024, ge=1)
    spool_hours: float = Field(24.0, gt=0)
    monitor_every: Annotated[timedelta | None, BeforeValidator(read_duration)] = None
    pseudonymize: bool = False
    pseudonym_key: SecretStr = SecretStr("")
    hf_dataset: str = Field("", pattern=r"^([\w.-]+/[\w.-]+)?$")
    hf_token: SecretStr = SecretStr("")
    frame_ancestors: Annotated[tuple[str, ...], NoDecode] = Field(default_factory=_default_frame_ancestors)
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    api_username: str = ""
    api_password: SecretStr = SecretStr("")
    api_token: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Prefer the environment to `.env`; in both, a secret may be in a file.

        Raises:
            SettingsError: as `with_files`.
        """
        above: Mapping[str, str | None] = {}
        for source in (env_settings, dotenv_settings):
            if isinstance(source, EnvSettingsSource):
                above = source.env_vars = with_files(source.env_vars, over=above)
        return init_settings, env_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _default_database(cls, values: dict[str, object]) -> dict[str, object]:
        """Put the default SQLite file beside the model store."""
        if not values.get("database_url"):
            home = Path(str(values.get("bentoml_home") or Path.home() / "bentoml"))
            return {**values, "database_url": f"sqlite:///{home.absolute() / 'churn.db'}"}
        return values

    @property
    def has_spool(self) -> bool:
        """Whether calls are answered while the database is away."""
        return self.journal_fallback == "spool"

    @property
    def spool(self) -> Path:
        """The folder of the journal while the database is away."""
        return self.bentoml_home / "spool"

    @property
    def jobs(self) -> Path:
        """The folder of files that are scored as jobs."""
        return self.bentoml_home / "jobs"

    @model_validator(mode="after")
    def _pseudonyms_have_a_key(self) -> Self:
        if self.pseudonymize and not self.pseudonym_key.get_secret_value():
            raise ValueError(
                "CHURN_PSEUDONYMIZE needs CHURN_PSEUDONYM_KEY: "
                f"a secret of at least {MIN_TOKEN} random characters"
            )
        return self

    @field_validator("pseudonym_key")
    @classmethod
    def _key_is_safe(cls, value: SecretStr) -> SecretStr:
        if is_placeholder(value.get_secret_value()):
            raise ValueError(f"is a placeholder: expected a secret of at least {MIN_TOKEN} random characters")
        return value

    @field_validator("frame_ancestors", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        origins = tuple(value.lower().split()) if isinstance(value, str) else value
        if isinstance(origins, tuple) and not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("expected origins like https://intranet.example.com, with spaces between them")
        return origins

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        networks = tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
        try:
            for network in networks if isinstance(networks, tuple) else ():
                ipaddress.ip_network(network)
        except ValueError:
            raise ValueError(
                "expected addresses and networks like 10.0.0.0/8, with commas between them"
            ) from None
        return networks

    @field_validator("api_password")
    @classmethod
    def _password_is_safe(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if secret:
            check_password(secret)
        return value

    @field_validator("api_token")
    @classmethod
    def _token_is_safe(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if is_placeholder(secret):
            raise ValueError("is a placeholder: run `churn token issue NAME` for a real one")
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise ValueError("cannot be sent in a header: expected ASCII letters, digits and signs only")
        return value

    @field_validator("pseudonym_key", "api_token")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_TOKEN:
            raise ValueError(f"is too short: expected at least {MIN_TOKEN} random characters")
        return value


def server_options() -> dict[str, Any]:
    """Return BentoML's options for the service, which it needs at import, before there are settings.

    The number of worker processes (CHURN_WORKERS) comes from the environment alone. BentoML's access log is
    off: it repeats paths as callers typed them.
    """
    workers = os.environ.get("CHURN_WORKERS", "")
    return {
        "workers": int(workers) if workers.isdecimal() and int(workers) else 1,
        "logging": {"access": {"enabled": False}},
        "tracing": {} if is_traced() else {"excluded_urls": ".*"},
    }


def is_traced() -> bool:
    """Return whether BentoML's configuration names an exporter for traces."""
    configured = [os.environ.get("BENTOML_CONFIG_OPTIONS", "")]
    if path := os.environ.get("BENTOML_CONFIG"):
        configured.append(Path(path).read_text(encoding="utf-8"))
    return any("exporter_type" in text for text in configured)


def logs_access() -> bool:
    """Return whether each request is logged as a line (CHURN_ACCESS_LOG), by the environment alone."""
    return os.environ.get("CHURN_ACCESS_LOG", "").casefold() in {"1", "true", "yes", "on"}


def is_placeholder(secret: str) -> bool:
    """Return whether a secret is a placeholder, or one that everyone tries first."""
    lowered = secret.strip().casefold()
    return lowered in _COMMON or lowered.startswith(_PLACEHOLDER_PREFIXES)


class PasswordError(ValueError):
    """A password cannot be accepted; `french` says the same in French."""

    def __init__(self, message: str, french: str) -> None:
        super().__init__(message)
        self.french = french


def check_password(password: str) -> None:
    """Accept a password that is strong enough.

    Raises:
        PasswordError: it cannot be sent, is a placeholder, too short, or too long.
    """
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in password):
        raise PasswordError(
            "has a character that no sign-in can send: choose another",
            "a un caractère qu'aucune connexion ne peut envoyer : en choisir un autre",
        )
    if is_placeholder(password):
        raise PasswordError(
            "is a placeholder or a password that everyone tries first: choose another",
            "est un exemple, ou l'un de ceux que tout le monde essaie d'abord : en choisir un autre",
        )
    if len(password) < MIN_PASSWORD:
        raise PasswordError(
            f"is too short: expected at least {MIN_PASSWORD} characters",
            f"est trop court : au moins {MIN_PASSWORD} caractères sont attendus",
        )
    if len(password.encode()) > MAX_PASSWORD:
        raise PasswordError(
            f"is too long: expected at most {MAX_PASSWORD} bytes",
            f"est trop long : au plus {MAX_PASSWORD} octets sont attendus",
        )


def load() -> Settings:
    """Return the settings of the environment, and of the file that CHURN_ENV_FILE names (`.env`).

    Raises:
        SettingsError: one is malformed or unsafe, or a file cannot be read; the message names it, never
            a value.
    """
    if os.environ.get("BENTOML_HOME") == "":  # `churn` puts its own there; `bentoml serve` does not
        raise SettingsError(
            "BENTOML_HOME is empty, which BentoML takes for the folder where it was started: "
            "unset it, or name the folder of the model store"
        )
    file = os.environ.get("CHURN_ENV_FILE") or places.default_env_file()
    try:
        return Settings(_env_file=file)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(e["loc"], e["msg"]) for e in error.errors())) from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{file} cannot be read (it is no text in UTF-8)") from None


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{str(loc[0]).upper()}: {text}" if loc else text
