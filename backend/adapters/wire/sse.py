"""Server-sent events, read while they arrive."""

from collections.abc import AsyncGenerator, Iterator
from typing import Final

import aiohttp

from backend.adapters.wire.arrivals import Arrivals
from backend.adapters.wire.deadlines import StreamClock
from backend.adapters.wire.failures import WireError

MAX_EVENT_BYTES: Final = 1 << 20


class SseParser:
    """Turns bytes, split anywhere, into the data of their events; comments and the other fields are skipped.

    Lines end with LF or CRLF. The data and the error are the same for every way to split the same bytes.
    """

    __slots__ = ("_data", "_held", "_max_event_bytes", "_parts")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._parts: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the data of every event that this chunk completes; to be exhausted before the next call.

        Raises:
            WireError: An event is longer than the bound. Those before it were yielded.
        """
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        for part in rest:
            line = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            length = len(line)
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            else:
                self._held -= length
                if not line and self._data:
                    yield self._event()
            self._hold(part)

    def finish(self) -> Iterator[bytes]:
        """Yield the data of a last event that no blank line ends. Errors as ``feed``."""
        return self.feed(b"\n\n")

    def _event(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._held = 0
        return data

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._max_event_bytes:
            raise WireError(f"an event of more than {self._max_event_bytes} bytes")
        self._parts.append(part)


async def events(content: aiohttp.StreamReader, clock: StreamClock) -> AsyncGenerator[bytes, None]:
    """Yield the data of a response's events as they arrive, until it ends.

    What counts as progress is the caller's to say: many servers send comments and empty events while nothing happens.

    Raises:
        WireError: As ``SseParser.feed``.
        TimeoutError: The clock's deadline passed.
        aiohttp.ClientError, OSError: The connection broke.
    """
    parser, arrivals = SseParser(), Arrivals(content, clock)
    try:
        while chunk := await arrivals.portion():
            for data in parser.feed(chunk):
                yield data
    finally:
        arrivals.close()
    for data in parser.finish():
        yield data
