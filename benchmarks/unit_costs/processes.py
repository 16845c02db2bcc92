"""What families of processes have used: a process, and all that descend from it."""

from pathlib import Path

from benchmarks.processes import TICKS, family, memory_bytes


def cpu_seconds(root: int) -> float:
    """Return what a family has used, those of it that have ended included."""
    total = 0
    for pid in family(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2].split()
        except OSError:
            continue  # It has just ended.
        total += sum(map(int, fields[11:15]))  # utime, stime, and both of the children that have ended
    return total / TICKS


def memory(root: int) -> int:
    """Return a family's proportional set size: what several of them use together is counted once."""
    return sum(map(memory_bytes, family(root)))


def disk(folder: Path) -> int:
    """Return the bytes of the blocks that a folder's files take."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
