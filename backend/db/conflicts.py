"""From the database's exceptions to ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from backend.core.errors import (
    ConflictError,
    DatabaseUnavailableError,
    DocentError,
    DuplicateDocumentError,
    EmailTakenError,
    SessionBusyError,
    SessionNotFoundError,
    StorageFullError,
    UsernameTakenError,
)

BY_CONSTRAINT: dict[str, type[DocentError]] = {
    "uq_users_username": UsernameTakenError,
    "uq_users_email": EmailTakenError,
    "uq_documents_sha256": DuplicateDocumentError,
    "uq_messages_streaming": SessionBusyError,
    "fk_messages_owner_id_session_id": SessionNotFoundError,
}

# SQLSTATE classes: 08 connection, 57P admin shutdown and crash, 53 out of connections or memory, 40 rolled back by a deadlock.
UNAVAILABLE = ("08", "57P", "53", "40")
DISK_FULL = "53100"
# Unique and foreign keys; the other integrity errors are defects of ours.
CONFLICTS = frozenset({"23505", "23503"})


class UnexpectedConflictError(ConflictError):
    """A constraint that no use case expects to violate."""

    code = "conflict"
    message = "The request disagrees with the present state. Try again."


def constraint_of(error: DBAPIError) -> str | None:
    """Return the name of the violated constraint."""
    return getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)


def sqlstate_of(error: DBAPIError) -> str:
    """Return the five characters of SQLSTATE, or an empty text where there is none."""
    return getattr(error.orig, "sqlstate", None) or ""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's exceptions into ours; a defect in our SQL passes through as it is."""
    try:
        yield
    except IntegrityError as error:
        if sqlstate_of(error) not in CONFLICTS:
            raise
        raise BY_CONSTRAINT.get(constraint_of(error) or "", UnexpectedConflictError) from error
    except DBAPIError as error:
        state = sqlstate_of(error)
        if state == DISK_FULL:
            raise StorageFullError from error
        if error.connection_invalidated or state.startswith(UNAVAILABLE):
            raise DatabaseUnavailableError from error
        raise
    except (PoolTimeoutError, OSError) as error:
        # While connecting the driver's own errors come bare: refused, a name that is not known, no answer in time.
        raise DatabaseUnavailableError from error
