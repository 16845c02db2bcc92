"""The processes of a measurement: how they are started, and what each of them uses, as Linux counts it."""

import asyncio
import os
import platform
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Running:
    """A process that listens."""

    port: int
    pid: int


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Running]:
    """Run a module that prints its port, and ends when its standard input does."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    output, held = cast("asyncio.StreamReader", process.stdout), cast("asyncio.StreamWriter", process.stdin)
    try:
        yield Running(int(await output.readline()), process.pid)
    finally:
        held.close()
        await process.wait()


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    pids = [pid]
    for one in pids:
        for tasks in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                pids += map(int, tasks.read_text(encoding="ascii").split())
            except OSError:
                continue  # It has just ended.
    return pids


def cpu_seconds(pid: int) -> float:
    """Return what a process used so far, without its children; 0 if it has ended."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def memory_bytes(pid: int) -> int:
    """Return the memory of a process, with its share of what it has in common with others (PSS); 0 if it has ended."""
    return next((int(line.split()[1]) * 1024 for line in _read(pid, "smaps_rollup").splitlines() if line.startswith("Pss:")), 0)


def private_bytes(pid: int) -> int:
    """Return the memory that a process has for itself: unlike its share (PSS) it stays when another one ends; 0 if it has ended."""
    lines = _read(pid, "smaps_rollup").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def descriptors(pid: int) -> int:
    """Return how many files, sockets and pipes a process has open; 0 if it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def command(pid: int) -> str:
    """Return the command line of a process, its arguments separated by NUL; nothing if it has ended."""
    return _read(pid, "cmdline")


def postgres(root: int) -> int:
    """Return the postmaster below a process."""
    return next(pid for pid in family(root) if _read(pid, "comm") == "postgres\n")


def chroma(root: int) -> int:
    """Return the server of Chroma below a process: the last of the chain, for its watcher's command line tells of it too."""
    return [pid for pid in family(root) if "chromadb_rust_bindings" in command(pid)][-1]


def machine() -> str:
    """Return a line about the machine, and how busy it is."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}"


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
