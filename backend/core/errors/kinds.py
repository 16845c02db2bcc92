"""The root and the kinds: how a caller should take it."""


class DocentError(Exception):
    """The root. ``message`` is safe to show: it never holds a secret, another owner's data or a rejected value."""

    code = "internal"
    message = "Something went wrong on our side."

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or type(self).message
        self.details = details
        super().__init__(self.message)


class InvalidError(DocentError):
    """What was sent cannot be accepted, however often it is sent."""


class UnauthenticatedError(DocentError):
    """The caller did not prove who they are."""


class ForbiddenError(DocentError):
    """The caller is known and may not do this."""


class NotFoundError(DocentError):
    """There is no such thing for this caller. Somebody else's thing looks exactly like a missing one."""


class ConflictError(DocentError):
    """The request disagrees with the present state."""


class TooLargeError(DocentError):
    """More bytes than are accepted."""


class UnsupportedTypeError(DocentError):
    """A media type that is not read here."""


class UnavailableError(DocentError):
    """Something this system depends on is down; the same request may succeed later."""

    retry_after_seconds: int | None = 5


class TooManyError(DocentError):
    """A limit of the account, the address or the server is reached; the same request may succeed later.

    ``retry_after_seconds`` is ``None`` where waiting alone does not help.
    """

    retry_after_seconds: float | None = 60.0


class StorageFullError(DocentError):
    """There is no room left to store what was sent."""

    code = "storage_full"
    message = "There is no storage left on the server. Nothing was stored."
