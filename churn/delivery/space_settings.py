"""The settings that a Space gets: those of here that hold elsewhere too."""

from churn.core.secret_files import NAMES
from churn.core.settings import Settings, variable_of

# What is about this machine, or in the Bento: where things are, where it listens, and the model.
_OF_HERE = {"bentoml_home", "host", "port", "model"}


def of(settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was set, as texts by their variables: the secrets, and the others.

    A database in a file stays here.
    """
    secrets, others = {}, {}
    for field in sorted(settings.model_fields_set - _OF_HERE):
        name, value = variable_of(field), getattr(settings, field)
        if name in NAMES:
            text = value if isinstance(value, str) else value.get_secret_value()
            if text and not text.startswith("sqlite"):
                secrets[name] = text
        else:
            others[name] = " ".join(value) if isinstance(value, tuple) else str(value).lower()
    return secrets, others
