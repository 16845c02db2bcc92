"""The processes of a running product: their memory, and their descriptors."""

import asyncio
import os
import platform
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

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
    for one in _tree(pid):
        try:
            command = Path(f"/proc/{one}/cmdline").read_text(errors="replace")
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue  # It has just ended.
        role = next((role for sign, role in ROLES if sign in command and "watcher" not in command), "watchers")
        found[role] += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    return found


def descriptors(pid: int) -> int:
    """Return how many descriptors Chroma has open."""
    chroma = [one for one in _tree(pid) if "chromadb_rust_bindings" in _command(one) and "watcher" not in _command(one)]
    return sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in chroma)


def machine() -> str:
    """Return a line about the machine."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" chromadb {version('chromadb')}, load {load}"
    )


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def _tree(pid: int) -> list[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children[int(stat.read_text().rpartition(")")[2].split()[1])].append(int(stat.parent.name))
        except OSError:
            continue  # It has just ended.
    tree, left = [], [pid]
    while left:
        tree.append(one := left.pop())
        left += children[one]
    return tree
