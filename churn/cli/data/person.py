"""One person in the journal, as commands name one."""

from churn.errors import IdentityError
from churn.settings import Settings
from churn.storage.pseudonyms import stored_as


def forms_of(employee: str, settings: Settings) -> tuple[str, ...]:
    """Return the forms in which an employee's id may be in the journal."""
    return stored_as(employee, settings.pseudonym_key.get_secret_value())


def nobody() -> IdentityError:
    """Return the error that the journal has nothing about an employee."""
    return IdentityError(
        "the journal has nothing about this employee: check the id, "
        "and CHURN_PSEUDONYM_KEY where ids are hashed"
    )
