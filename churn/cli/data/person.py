"""One person in the journal, as commands name one."""

from sqlalchemy import Engine

from churn.core.errors import IdentityError
from churn.core.settings import Settings
from churn.journal.pseudonyms import stored_forms
from churn.records.privacy import count_about

# Where SQLite cannot empty its log now.
IN_LOG = (
    "the database's log (-wal) still has what was taken away, since another process is reading: "
    "it goes when that has ended"
)


def look_up(engine: Engine, employee: str, settings: Settings) -> tuple[tuple[str, ...], int]:
    """Return the forms in which an employee's id may be in the journal, and how many predictions have one.

    Raises:
        IdentityError: none has.
        DatabaseError: the database does not answer.
    """
    forms = stored_forms(employee, settings.pseudonym_key.get_secret_value())
    number = count_about(engine, forms)
    if not number:
        raise IdentityError(
            "the journal has nothing about this employee: check the id, "
            "and CHURN_PSEUDONYM_KEY where ids are hashed"
        )
    return forms, number
