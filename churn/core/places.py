"""Where things are: in the checkout or the Bento where there is one, else where the platform keeps files."""

import os
from pathlib import Path

from platformdirs import user_config_path, user_data_path

from churn.core.errors import SettingsError

ROOT = Path(__file__).parents[2]  # what holds the package
IS_INSTALLED = ROOT.name in ("site-packages", "dist-packages")
CHECKOUT = ROOT if (ROOT / "pyproject.toml").is_file() else None
BENTO = ROOT.parent if (ROOT.parent / "bento.yaml").is_file() else None
VOLUME = Path("/data")  # where containers have what is to outlast them

_NAME = "churn"
_OF_BENTOML = ("bentos", "models", "envs", "tmp")  # what BentoML makes in its home, wherever it is imported


def default_home() -> Path:
    """Return the folder of models and of the default database where BENTOML_HOME names none."""
    if CHECKOUT:
        return CHECKOUT / ".bentoml"
    return VOLUME / _NAME if BENTO and VOLUME.is_mount() else user_data_path(_NAME, appauthor=False)


def forgets(database_url: str) -> bool:
    """Return whether a restart takes a database away: on a Hugging Face Space, one in a file on no volume."""
    return "SPACE_ID" in os.environ and database_url.startswith("sqlite") and f"{VOLUME}/" not in database_url


def default_env_file() -> Path:
    """Return the file of settings where CHURN_ENV_FILE names none; it need not be there."""
    return (CHECKOUT or user_config_path(_NAME, appauthor=False)) / ".env"


def bento_model() -> str:
    """Return the tag of the model that the Bento carries, which is the one that serves; nothing elsewhere."""
    folders = list((BENTO / "models").glob("*/*/")) if BENTO else []
    return f"{folders[0].parent.name}:{folders[0].name}" if len(folders) == 1 else ""


def working_folder() -> Path:
    """Return where the workers start, and relative paths in the settings begin."""
    return Path.cwd() if IS_INSTALLED else ROOT


def python_path() -> str:
    """Return PYTHONPATH for processes that import this package, which start in other folders.

    An installed one is found without; on PYTHONPATH, what is installed would hide the standard library.
    """
    own = "" if IS_INSTALLED else str(ROOT)
    return os.pathsep.join(filter(None, (own, os.environ.get("PYTHONPATH"))))


def check_home(home: Path) -> None:
    """Accept a home that BentoML can use; to be called before it is imported, as it ends in a traceback.

    Raises:
        SettingsError: the home, or a folder in it, is missing and cannot be made, or is no folder.
    """
    for path in (home.absolute(), *(home.absolute() / name for name in _OF_BENTOML)):
        there = next(folder for folder in (path, *path.parents) if os.access(folder, os.F_OK))
        advice = "point BENTOML_HOME at a folder where models and the database may be kept"
        if not there.is_dir():
            raise SettingsError(f"{path} cannot be used, as {there} is no folder: {advice}")
        if not os.access(there, os.X_OK if there == path else os.X_OK | os.W_OK):
            raise SettingsError(f"{path} cannot be used, as this user may not write to {there}: {advice}")
