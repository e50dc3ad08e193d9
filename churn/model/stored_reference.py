"""The references in the model store."""

import json

from churn.core.errors import ModelError
from churn.model import reference, registry
from churn.model.reference import Reference


def load_reference(tag: str) -> Reference | None:
    """Return the reference of a model; None where it was trained before models had one.

    Raises:
        ModelError: there is no such model, or its reference is damaged.
    """
    tag, folder = registry.locate(tag)
    try:
        return reference.from_dict(json.loads((folder / registry.REFERENCE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"the reference of model {tag} ({registry.REFERENCE}) is damaged, or of a later version of "
            "churn: train again, or update churn"
        ) from error
