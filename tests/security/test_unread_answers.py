"""Clients that keep their connection and do not read what they are sent."""

import asyncio
import socket

import pytest
from starlette.types import Receive, Scope, Send

from backend.cli.connections import BoundedH11Protocol, BoundedHttpToolsProtocol
from tests.support.web_server import web_server
from tests.support.wire import connected

PIECE = bytes(1 << 16)
SECONDS = 0.5


class Endless:
    """An answer without an end. ``left`` is set when the server says that the client has left."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()
        sending.cancel()
        await asyncio.wait([sending])

    @staticmethod
    async def _send(send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            await asyncio.sleep(0)


@pytest.mark.parametrize("protocol", [BoundedHttpToolsProtocol, BoundedH11Protocol])
async def test_a_client_that_never_reads_has_left_and_one_that_is_slow_has_not(protocol: type[asyncio.Protocol]) -> None:
    impatient = type("Impatient", (protocol,), {"read_idle_seconds": SECONDS})
    for reads in (False, True):
        app = Endless()
        async with web_server(app, impatient) as server, connected(f"http://127.0.0.1:{server.port}", limit=1 << 14) as wire:
            connection: socket.socket = wire.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
            await wire.begin("GET", "/")
            if reads:
                for _ in range(100):
                    await wire.reader.read(1 << 14)
                    await asyncio.sleep(0.02)
                assert not app.left.is_set()
            async with asyncio.timeout(20):
                await app.left.wait()
