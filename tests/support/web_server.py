"""A web server in this process, and raw bytes to it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back for some bytes, and whether the server closed the connection (else the time was up)."""

    received: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        """The status of each answer, provisional ones included."""
        return [int(status) for status in STATUS.findall(self.received)]


@dataclass(frozen=True, slots=True)
class WebServer:
    """Where it listens."""

    port: int

    async def send(self, *pieces: bytes | float, end: bool = False, within: float = 5) -> Exchange:
        """Send pieces, pausing for the seconds between them, and read until the server closes or so many seconds have passed.

        ``end`` closes our direction after the last piece. What the server no longer takes is not sent.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = bytearray()

        async def read() -> None:
            while data := await reader.read(65_536):
                received.extend(data)

        reading = asyncio.create_task(read())
        try:
            await _write(writer, pieces, reading, end=end)
            _, late = await asyncio.wait({reading}, timeout=within)
            return Exchange(bytes(received), closed=not late)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            writer.transport.abort()


async def _write(
    writer: asyncio.StreamWriter, pieces: tuple[bytes | float, ...], reading: asyncio.Task[None], *, end: bool
) -> None:
    try:
        for piece in pieces:
            if reading.done():
                return
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                writer.write(piece)
                await writer.drain()
        if end:
            writer.write_eof()
    except OSError:
        return  # It is closed already; ``write_eof`` says so with an error of its own.


@asynccontextmanager
async def web_server(app: ASGIApp, protocol: type[asyncio.Protocol], **settings: object) -> AsyncIterator[WebServer]:
    """Serve an application with one of uvicorn's protocols on a free port, without uvicorn's signals and lifespan."""
    config = uvicorn.Config(app, http=protocol, ws="none", log_config=None, server_header=False, **settings)  # type: ignore[arg-type]
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}),  # type: ignore[call-arg] # uvicorn's own signature
        "127.0.0.1",
        0,
        backlog=2048,  # uvicorn's; with asyncio's 100 the last of many connections at once come a second late, or not at all.
    )
    try:
        yield WebServer(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in list(state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)
