"""A real Redis server for a test, on a free port of the loopback, with nothing on disk."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import DEVNULL

import pytest

from tests.support.chroma import free_port


class RedisServer:
    """A server that can be killed and started again at its address, then empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no")
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", *options, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        async with asyncio.timeout(30):
            while not await self._answers():
                assert self._process.returncode is None, "redis-server ended at its start"
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End the server as a crash does; one that has ended already stays so."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer == b"+PONG\r\n"


@asynccontextmanager
async def running_redis() -> AsyncIterator[RedisServer]:
    """Start a server, and end it at the end. Where redis-server is not installed, the test is skipped."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    server = RedisServer()
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
