"""One address for several processes: a small TCP balancer for trials and tests. nginx does this in an installation.

It knows nothing of HTTP: a connection belongs to one process as long as it lasts, bytes are carried as they come, and whoever ends
it ends it for the other side too.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from backend.adapters.servers.private_files import LOOPBACK

_PIECE_BYTES = 65_536

log = structlog.get_logger(__name__)


class _Balancer:
    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._turn = 0
        self._connections: set[asyncio.Task[None]] = set()

    async def accept(self, client: StreamReader, to_client: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._connections.add(task)
        try:
            await self._relay(client, to_client)
        finally:
            self._connections.discard(task)
            to_client.close()

    async def aclose(self) -> None:
        """End all connections."""
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _relay(self, client: StreamReader, to_client: StreamWriter) -> None:
        found = await self._connected()
        if found is None:
            to_client.transport.abort()
            return
        member, to_member = found
        there = asyncio.create_task(_carry(client, to_member))
        back = asyncio.create_task(_carry(member, to_client))
        try:
            # A client that has said all still waits for its answer, but one that is gone does not.
            done, _ = await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            if back not in done and there.result():
                await asyncio.wait({back})
        finally:
            there.cancel()
            back.cancel()
            await asyncio.wait({there, back})
            to_member.transport.abort()

    async def _connected(self) -> tuple[StreamReader, StreamWriter] | None:
        """Return a connection to the member whose turn it is, or to the next one that takes it."""
        self._turn += 1
        for step in range(len(self._ports)):
            port = self._ports[(self._turn + step) % len(self._ports)]
            try:
                return await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                log.debug("member_passed_over", port=port)
        return None


async def _carry(source: StreamReader, target: StreamWriter) -> bool:
    """Carry bytes until the source has said all; return whether it did, rather than one of the two being gone."""
    try:
        while piece := await source.read(_PIECE_BYTES):
            target.write(piece)
            await target.drain()
        target.write_eof()
    except OSError:
        return False
    return True


@asynccontextmanager
async def balanced(ports: Sequence[int], port: int) -> AsyncIterator[int]:
    """Take connections on a port of the loopback (0: a free one) within the block, and yield it.

    They go to the members in turn; one that takes no connection is passed over, and where none does, the connection is reset.
    """
    balancer = _Balancer(ports)
    server = await asyncio.start_server(balancer.accept, LOOPBACK, port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await balancer.aclose()
