"""How long a stream may keep us waiting."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: to connect, from the request to the first piece (a model may have to be loaded), and between two pieces."""

    connect: float
    first_piece: float
    between_pieces: float

    def start(self) -> "StreamClock":
        """Return the clock of one stream; it runs from now on towards the first piece."""
        return StreamClock(self)


class StreamClock:
    """Bounds the waits of one stream, and only those: the time that the reader takes between two waits does not count.

    A timeout is entered for each wait and never kept across a ``yield``: it belongs to the task that entered it, and the first
    piece of a stream may be pulled by another task than the rest. ``until`` is the present deadline, in the loop's time.
    """

    __slots__ = ("_between", "_loop", "until")

    def __init__(self, deadlines: Deadlines) -> None:
        self._loop = asyncio.get_running_loop()
        self._between = deadlines.between_pieces
        self.until = self._loop.time() + deadlines.first_piece

    def waiting(self) -> asyncio.Timeout:
        """Return the context for one wait; it raises ``TimeoutError`` at the deadline."""
        return asyncio.timeout_at(self.until)

    def progressed(self) -> None:
        """Something came, and was dealt with: from now on the time between two pieces runs."""
        self.until = self._loop.time() + self._between
