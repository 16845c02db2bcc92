"""What was down a moment ago."""

from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

from backend.core.errors import ModelUnavailableError

K = TypeVar("K", bound=Hashable)

COSTLY_SECONDS = 1.0
_REMEMBERED = 256


class Outages(Generic[K]):
    """Remembers failures for so many seconds, so that who has something else to ask does not wait for the same again.

    When they are over, one is let through to see; the others go on without until it has told.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[K, float] = {}

    def last(self, key: K) -> bool:
        """Return whether it is to be left alone. Who is told no has to try it, and say what came of that."""
        until = self._until.get(key)
        if until is None:
            return False
        now = monotonic()
        if now < until:
            return True
        self._until[key] = now + self._seconds
        return False

    def note(self, key: K, error: ModelUnavailableError, waited: float) -> None:
        """Note a failure after so many seconds, if it tells of the next request: by its cost, or because the provider says so.

        What was refused at once may be a matter of that request alone.
        """
        if not error.retryable and waited < COSTLY_SECONDS:
            return
        if len(self._until) >= _REMEMBERED:
            # The names come from requests and have many spellings.
            self._until.clear()
        self._until[key] = monotonic() + self._seconds

    def over(self, key: K) -> None:
        """Note that it works."""
        self._until.pop(key, None)

    def unknown(self, key: K) -> None:
        """Note that whoever was let through has learned nothing: the next one may."""
        if key in self._until:
            self._until[key] = 0.0
