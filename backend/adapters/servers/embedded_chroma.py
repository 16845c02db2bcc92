"""Chroma's own server as a child process, with its data in the data folder."""

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from backend.adapters.servers.private_files import LOOPBACK, remembered_port, write_private
from backend.adapters.servers.processes import Program, kept_running, plain_environment, spawn
from backend.core.errors import ConfigurationError

_LOADED_COLLECTIONS = 256
"""About 3 MB and 4 file descriptors each. Collections beyond that are loaded again when they are asked for."""


@asynccontextmanager
async def embedded_chroma(folder: Path, lock: int) -> AsyncIterator[str]:
    """Run Chroma within the block and yield its URL, at once: it answers about two seconds later.

    It has no authentication, so it listens on loopback only. It is restarted on the same port when it dies.

    Raises:
        ConfigurationError: Chroma is not installed beside this Python.
    """
    executable = Path(sys.executable).with_name("chroma")
    if not executable.exists():
        message = f"The program {executable} is missing. Install chromadb, or set CHROMA_URL."
        raise ConfigurationError(message)
    port = remembered_port(folder / "chroma.port")
    configuration = folder / "chroma.yaml"
    write_private(configuration, _configuration(port, folder / "chroma"))
    program = Program(
        name="chroma",
        command=(str(executable), "run", str(configuration)),
        folder=folder,
        stop=signal.SIGTERM,
        log=folder / "logs" / "chroma.log",
        environment=plain_environment(ANONYMIZED_TELEMETRY="False", RUST_LOG="warn"),
    )
    async with kept_running(program, await spawn(program, lock), lock):
        yield f"http://{LOOPBACK}:{port}"


def _configuration(port: int, store: Path) -> str:
    return (
        f"port: {port}\n"
        f'listen_address: "{LOOPBACK}"\n'
        f"persist_path: {json.dumps(str(store))}\n"
        "allow_reset: false\n"
        f"segment_manager: {{hnsw_index_pool_cache_config: {{memory: {{capacity: {_LOADED_COLLECTIONS}}}}}}}\n"
    )
