"""A real Chroma server for a test: `chroma run` on a free port of the loopback, with a store of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, STDOUT

from backend.adapters.servers.embedded_chroma import COMMAND

_CONFIGURATION = """\
port: {port}
listen_address: "127.0.0.1"
persist_path: "{store}"
allow_reset: false
segment_manager: {{hnsw_index_pool_cache_config: {{memory: {{capacity: 256}}}}}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ChromaServer:
    """A server that can be killed and started again at its address; its store stays."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = folder / "store"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        configuration = self._folder / "chroma.yaml"
        configuration.write_text(_CONFIGURATION.format(port=self.port, store=self.store))
        with (self._folder / "chroma.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*COMMAND, configuration, stdin=DEVNULL, stdout=log, stderr=STDOUT)
        async with asyncio.timeout(30):
            while not await self._answers():
                assert self._process.returncode is None, (self._folder / "chroma.log").read_text()
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End the server as a crash does; one that has ended already stays so."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET /api/v2/heartbeat HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        except OSError:
            return False
        return b" 200 " in answer.partition(b"\r\n")[0]


@asynccontextmanager
async def running_chroma(folder: Path) -> AsyncIterator[ChromaServer]:
    """Start a server whose configuration, log and store are in the folder, and end it at the end."""
    server = ChromaServer(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
