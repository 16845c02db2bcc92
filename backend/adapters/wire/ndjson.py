"""Newline-delimited JSON, read while it arrives."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

import aiohttp

from backend.adapters.wire.arrivals import Arrivals
from backend.adapters.wire.deadlines import StreamClock
from backend.adapters.wire.failures import WireError
from backend.adapters.wire.json_objects import json_object

MAX_LINE_BYTES: Final = 1 << 20


class NdjsonParser:
    """Turns bytes, split anywhere, into the objects of their lines. Blank lines are skipped.

    The objects and the error are the same for every way to split the same bytes.
    """

    __slots__ = ("_held", "_max_line_bytes", "_parts")

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Yield the object of every line that this chunk completes; to be exhausted before the next call.

        Raises:
            WireError: A line is not a JSON object or longer than the bound. The objects before it were yielded.
        """
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        for part in rest:
            line = b"".join(self._parts)
            self._parts.clear()
            self._held = 0
            if line and not line.isspace():
                yield json_object(line, "a line")
            self._hold(part)

    def finish(self) -> Iterator[dict[str, Any]]:
        """Yield the object of a last line without a newline. Errors as ``feed``."""
        return self.feed(b"\n")

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._max_line_bytes:
            raise WireError(f"a line of more than {self._max_line_bytes} bytes")
        self._parts.append(part)


async def objects(content: aiohttp.StreamReader, clock: StreamClock) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the objects of a response's lines as they arrive, until it ends.

    Raises:
        WireError: As ``NdjsonParser.feed``.
        TimeoutError: The clock's deadline passed without a whole line.
        aiohttp.ClientError, OSError: The connection broke.
    """
    parser, arrivals = NdjsonParser(), Arrivals(content, clock)
    try:
        while chunk := await arrivals.portion():
            whole_line = False
            for value in parser.feed(chunk):
                whole_line = True
                yield value
            if whole_line:
                clock.progressed()
    finally:
        arrivals.close()
    for value in parser.finish():
        yield value
