"""The processes of a measurement, and what each of them used."""

import asyncio
import os
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


def cpu_seconds(pid: int) -> float:
    """Return what a process used so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    pids = [pid]
    for one in pids:
        for tasks in Path(f"/proc/{one}/task").glob("*/children"):
            pids += map(int, tasks.read_text(encoding="ascii").split())
    return pids


def memory_bytes(pid: int) -> int:
    """Return the memory of a process, with its share of what it shares with others (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no memory to speak of")
