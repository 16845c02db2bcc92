"""Chroma's own server as a child process, with its data in the data folder."""

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from backend.adapters.servers.chroma_store import ChromaStore
from backend.adapters.servers.private_files import LOOPBACK, remembered_port, write_private
from backend.adapters.servers.processes import Program, kept_running, plain_environment, spawn
from backend.core.errors import ConfigurationError

_LOADED_COLLECTIONS = 256
"""About 3 MB and 4 file descriptors each. Collections beyond that are loaded again when they are asked for."""

COMMAND = (sys.executable, "-I", "-c", "import sys, chromadb_rust_bindings as chroma; chroma.cli(sys.argv[1:])", "chroma", "run")
"""What the program ``chroma`` does, without importing all of its client first: 0.1 s of CPU instead of 1.6, and 38 MB instead of
112. The configuration's path follows."""


@dataclass(frozen=True, slots=True)
class EmbeddedChroma:
    """A running server, and the store that it works on."""

    url: str
    store: ChromaStore


@asynccontextmanager
async def embedded_chroma(folder: Path, lock: int) -> AsyncIterator[EmbeddedChroma]:
    """Run Chroma within the block and yield where, at once: it answers about half a second later.

    It has no authentication, so it listens on loopback only. It is restarted on the same port when it dies. Before every start
    its store is examined, and emptied if it is not whole; ``store.loss()`` then tells so until it is acknowledged.

    Raises:
        ConfigurationError: Chroma is not installed beside this Python, or its store cannot be used.
    """
    if find_spec("chromadb_rust_bindings") is None:
        raise ConfigurationError("Chroma's server is missing. Install chromadb, or set CHROMA_URL.")
    store = ChromaStore(folder)
    port = remembered_port(folder / "chroma.port")
    configuration = folder / "chroma.yaml"
    write_private(configuration, _configuration(port, store.path))
    program = Program(
        name="chroma",
        command=(*COMMAND, str(configuration)),
        folder=folder,
        stop=signal.SIGTERM,
        log=folder / "logs" / "chroma.log",
        environment=plain_environment(ANONYMIZED_TELEMETRY="False", RUST_LOG="warn"),
        prepare=store.prepare,
    )
    try:
        process = await spawn(program, lock)
    except OSError as error:
        message = f"The vector index in {store.path} cannot be used: {error}. Its content can be removed: PostgreSQL has it all."
        raise ConfigurationError(message) from error
    async with kept_running(program, process, lock):
        yield EmbeddedChroma(f"http://{LOOPBACK}:{port}", store)


def _configuration(port: int, store: Path) -> str:
    return (
        f"port: {port}\n"
        f'listen_address: "{LOOPBACK}"\n'
        f"persist_path: {json.dumps(str(store))}\n"
        "allow_reset: false\n"
        f"segment_manager: {{hnsw_index_pool_cache_config: {{memory: {{capacity: {_LOADED_COLLECTIONS}}}}}}}\n"
    )
