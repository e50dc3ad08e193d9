"""Who runs this: the system's account, for the journal and the promotions."""

import getpass


def operator() -> str | None:
    """Return the system's name of who runs this; None where it has none, as in some containers."""
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError, ImportError):
        return None
