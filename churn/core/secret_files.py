"""Secrets in files, as containers get them: NAME_FILE names the file whose text is the value of NAME."""

import stat
from collections.abc import Mapping
from pathlib import Path

from churn.core.errors import SettingsError

NAMES = ("API_USERNAME", "API_PASSWORD", "API_TOKEN", "DATABASE_URL", "CHURN_PSEUDONYM_KEY", "CHURN_HF_TOKEN")
MAX_BYTES = 64 * 1024


def with_files(
    variables: Mapping[str, str | None], over: Mapping[str, str | None] | None = None
) -> dict[str, str | None]:
    """Return variables, by their names in lower case, with the texts of the files that they name.

    Variables in `over` win: no file is read for them.

    Raises:
        SettingsError: a variable and its file are both set, or a file cannot be used; the message names
            variable and path, never the content of the file.
    """
    values = dict(variables)
    for name in NAMES:
        path, key = values.pop(f"{name}_FILE".lower(), None), name.lower()
        if not path or (over or {}).get(key):
            continue
        if values.get(key):
            raise SettingsError(f"{name} and {name}_FILE are both set: set one of them")
        values[key] = _text(f"{name}_FILE", Path(path))
    return values


def _text(variable: str, path: Path) -> str:
    """Return a file's text without the newline at its end."""
    if not path.is_absolute():
        # The path is not repeated: somebody may have put the secret itself here.
        raise SettingsError(f"{variable}: expected the path of a file, from the root on")
    content = _content(variable, path)
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{variable}: {path} is too large: expected at most {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Not chained: the error holds the content.
        raise SettingsError(f"{variable}: {path} is no text in UTF-8") from None
    if not text.strip():
        raise SettingsError(f"{variable}: {path} is empty: write the secret into it")
    return text.removesuffix("\n").removesuffix("\r")


def _content(variable: str, path: Path) -> bytes:
    """Return the first bytes of a regular file, one more than it may have; others might never end."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise SettingsError(f"{variable}: {path} cannot be read ({reason})") from error
    raise SettingsError(f"{variable}: {path} cannot be read (it is no file)")
