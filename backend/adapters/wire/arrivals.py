"""The bytes of a streamed response."""

import asyncio

import aiohttp

from backend.adapters.wire.deadlines import StreamClock


class Arrivals:
    """The bytes of a response as they arrive; the wait for each portion is bounded by the stream's clock.

    One timer serves all waits, and is set anew only when it rings or a sooner deadline holds: entering a timeout for each portion
    would cost a token more than all that is done to its bytes. To be closed.
    """

    __slots__ = ("_clock", "_content", "_loop", "_rings_at", "_timer", "_waits")

    def __init__(self, content: aiohttp.StreamReader, clock: StreamClock) -> None:
        self._loop = asyncio.get_running_loop()
        self._content = content
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._waits = False

    async def portion(self) -> bytes:
        """Return what has arrived; nothing at the end.

        Raises:
            TimeoutError: The clock's deadline passed.
            aiohttp.ClientError, OSError: The connection broke.
        """
        if self._timer is None or self._clock.until < self._rings_at:
            self._set()
        self._waits = True
        try:
            return await self._content.readany()
        finally:
            self._waits = False

    def close(self) -> None:
        """Let go of the timer. Nothing is read afterwards."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self.close()
        self._rings_at = self._clock.until
        self._timer = self._loop.call_at(self._rings_at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if not self._waits:
            return  # The time that the reader takes does not count; its next wait sets the timer.
        if self._clock.until > self._loop.time():
            self._set()
        else:
            self._content.set_exception(TimeoutError())
