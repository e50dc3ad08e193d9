"""The operator: the system account that runs this, for the journal and the promotions."""

import getpass


def operator() -> str | None:
    """Return the name of the account that runs this; None where it has no name, as in some containers."""
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError, ImportError):
        return None
