"""The processes of a running product, and their memory."""

import asyncio
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import command, family, memory_bytes

ROLES = (("chromadb_rust_bindings", "Chroma"), ("postgres", "PostgreSQL"), ("docent", "API"))
READY = " is ready at "
STARTING_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Running:
    """A running ``docent serve``."""

    pid: int
    url: str


@asynccontextmanager
async def product(folder: Path) -> AsyncIterator[Running]:
    """Run the product on a data folder, with its defaults, and without the pages, which are a process of their own."""
    chosen = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **{"DATA_DIR": str(folder), "PORT": "0", "UI_ENABLED": "false", "LOG_LEVEL": "warning"},
        **{"CHAT_PROVIDER": "extractive", "LIMITS_ENABLED": "false"},
    }
    # Outside of any checkout, whose .env would get in.
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("docent")), "serve", stdout=asyncio.subprocess.PIPE, cwd=folder, env=chosen
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    reading: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(STARTING_SECONDS):
            while READY not in (line := (await process.stdout.readline()).decode()):
                if not line:
                    raise SystemExit("The product did not start.")
        reading = asyncio.create_task(_drain(process.stdout))
        yield Running(process.pid, line.rpartition(" ")[2].strip())
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        if reading is not None:
            await reading


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def memory(pid: int) -> Mapping[str, float]:
    """Return the megabytes (PSS: what is shared counts once) of a process and of all that it has started, by what they are."""
    found: defaultdict[str, float] = defaultdict(float)
    for one in family(pid):
        role = next((role for sign, role in ROLES if sign in command(one) and "watcher" not in command(one)), "watchers")
        found[role] += memory_bytes(one) / 2**20
    return found
