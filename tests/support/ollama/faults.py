"""What can go wrong with a model server, on demand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a request. The parts can be combined.

    ``..._after`` counts pieces: 0 is before the first, and the number of the reply's pieces is before the last line (the ``done``).
    Without a stream a hang or a cut happens before the answer, whatever its number.
    """

    status: int | None = None
    """Answer with this status and ``body`` and do nothing else. A 200 with a body of your own is a fault too."""

    body: object = None
    """An object is sent as JSON, bytes as they are, ``None`` as ``{"error": ...}``."""

    retry_after: str | None = None
    """Send this header with the status; in OpenAI's face only."""

    hang_after: int | None = None
    """Say nothing more and keep the connection open until the client leaves."""

    cut_after: int | None = None
    """Break the connection."""

    error_after: int | None = None
    """Send an ``{"error": ...}`` line on the 200 and end."""

    garbage_after: int | None = None
    """Send a line that is not JSON, and go on."""

    without_done: bool = False
    """End properly, but without the line that says ``done: true``."""

    done_reason: str | None = None
    """End with this reason."""

    interval: float | None = None
    """Wait so many seconds before each piece."""


NO_FAULT = Fault()


class FaultPlan:
    """Which fault strikes next on which path."""

    def __init__(self) -> None:
        self._armed: dict[str, list[tuple[Fault, int | None]]] = {}

    def arm(self, path: str, fault: Fault, times: int | None) -> None:
        self._armed.setdefault(path, []).append((fault, times))

    def clear(self, path: str | None) -> None:
        if path is None:
            self._armed.clear()
        else:
            self._armed.pop(path, None)

    def take(self, path: str) -> Fault:
        """Return the fault for the next request of this path, in the order of arming, and count it."""
        queue = self._armed.get(path)
        if not queue:
            return NO_FAULT
        fault, times = queue[0]
        if times is not None:
            if times <= 1:
                queue.pop(0)
            else:
                queue[0] = (fault, times - 1)
        return fault
