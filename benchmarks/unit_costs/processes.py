"""What processes have used, as Linux counts it."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(root: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield root
    try:
        children = [int(pid) for task in Path(f"/proc/{root}/task").iterdir() for pid in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from family(child)


def postgres(root: int) -> int:
    """Return the postmaster below a process."""
    return next(pid for pid in family(root) if _read(pid, "comm") == "postgres\n")


def chroma(root: int) -> int:
    """Return the server of Chroma below a process: the last of the chain, for its watcher's command line tells of it too."""
    return [pid for pid in family(root) if "chromadb_rust_bindings" in _read(pid, "cmdline")][-1]


def cpu_seconds(root: int) -> float:
    """Return what a family has used, those of it that have ended included."""
    total = 0
    for pid in family(root):
        fields = _fields(pid)
        total += sum(map(int, fields[11:15])) if fields else 0  # utime, stime, and both of the children that have ended
    return total / TICKS


def memory(root: int) -> int:
    """Return a family's proportional set size: what several of them use together is counted once."""
    total = 0
    for pid in family(root):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
    return total * 1024


def disk(folder: Path) -> int:
    """Return the bytes of the blocks that a folder's files take."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _fields(pid: int) -> list[str]:
    return _read(pid, "stat").rpartition(") ")[2].split()


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
