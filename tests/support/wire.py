"""HTTP by hand, for what a well-behaved client does not do: stop in the middle, leave, or not read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Wire:
    """A connection to a server that speaks HTTP/1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def begin(self, method: str, path: str, **headers: str | int) -> None:
        """Send the head of a request; ``Content_Length`` stands for ``Content-Length``."""
        lines = [f"{method} {path} HTTP/1.1", "Host: docent", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()
        # While there is room, drain returns at once: let what was answered meanwhile come in.
        await asyncio.sleep(0)

    async def send_chunk(self, data: bytes) -> None:
        """Send a piece of a body without Content-Length; an empty one ends it."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def answer(self, *, within: float = 30) -> tuple[int, bytes]:
        """Return the status and the head of the answer."""
        async with asyncio.timeout(within):
            head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1]), head

    async def some(self, pattern: bytes, *, within: float = 30) -> bytes:
        """Read until the bytes have come, and return all up to them."""
        async with asyncio.timeout(within):
            return await self.reader.readuntil(pattern)

    def answered(self) -> bool:
        """Tell whether the server has begun to answer."""
        return bool(self.reader._buffer) or self.reader.at_eof()  # type: ignore[attr-defined] # there is no other way to look

    def leave(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()


@asynccontextmanager
async def connected(url: str, *, limit: int = 1 << 16) -> AsyncIterator[Wire]:
    """Connect to the server at a URL. ``limit`` bounds what is read ahead, in bytes."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=limit)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
