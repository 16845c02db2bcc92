"""A connection that asks one thing after the other, and costs next to nothing itself."""

import asyncio
import re
from time import perf_counter
from typing import Self, cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class RefusedError(Exception):
    """An answer was none of success."""


class Line(asyncio.Protocol):
    """One connection that is kept alive. Answers have a length."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._read = b""

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect to a port of this machine."""
        return (await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port))[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its answer.

        Raises:
            RefusedError: It was refused, or the connection ended.
        """
        self._read = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    async def timed(self, request: bytes) -> float:
        """Return how many milliseconds that takes."""
        begun = perf_counter()
        await self.ask(request)
        return (perf_counter() - begun) * 1000

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found or self._answer is None or self._answer.done():
            return
        length = LENGTH.search(head)
        if head[9:10] != b"2" or length is None:
            self._answer.set_exception(RefusedError(self._read[:500].decode(errors="replace")))
        elif len(body) >= int(length[1]):
            self._answer.set_result(body)

    def close(self) -> None:
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RefusedError(f"connection lost: {error!r}"))


def get(path: str, port: int, token: str = "") -> bytes:
    """Return the bytes of a request."""
    credentials = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{credentials}\r\n".encode()
