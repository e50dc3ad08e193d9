"""Pseudonyms: employees' ids as a keyed hash, so that the database alone identifies nobody."""

import hashlib
import hmac

from churn.core.settings import Settings
from churn.journal.entry import Pseudonym

PREFIX = "p:"
DIGITS = 32  # hexadecimal, of the digest: 128 bits


def pseudonymizer(key: str) -> Pseudonym:
    """Return the function that turns an employee's id into its pseudonym (HMAC-SHA256 with a secret key)."""

    def pseudonym(employee_id: str) -> str:
        digest = hmac.new(key.encode(), employee_id.encode(), hashlib.sha256).hexdigest()
        return f"{PREFIX}{digest[:DIGITS]}"

    return pseudonym


def configured(settings: Settings) -> Pseudonym | None:
    """Return the function that the settings ask for; None where ids are stored as they are."""
    return pseudonymizer(settings.pseudonym_key.get_secret_value()) if settings.pseudonymize else None


def stored_forms(employee_id: str, key: str) -> tuple[str, ...]:
    """Return the forms in which the journal may have an employee's id; `key` is empty where there is none.

    Where there is a key these are two: it may have been set after the first calls were logged.
    """
    return (employee_id, pseudonymizer(key)(employee_id)) if key else (employee_id,)
