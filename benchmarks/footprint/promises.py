"""What was promised of starts and memory, and how it is told from what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import command, family, memory_bytes
from benchmarks.verdicts import Verdict

MB = 1_000_000
KINDS = (("chromadb_rust_bindings", "Chroma"), ("postgres", "PostgreSQL"))
API = "API"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the beginning of ``docent serve`` to when ``/ready`` said 200, and to when Chroma answered as well."""

    ready: float
    whole: float


def memory_by_kind(pid: int) -> dict[str, int]:
    """Return the memory of the product's process and of those below it, by what they are; watchers count as their servers."""
    kinds = {API: memory_bytes(pid)}
    for one in family(pid)[1:]:
        kind = next((name for word, name in KINDS if word in command(one)), "others")
        kinds[kind] = kinds.get(kind, 0) + memory_bytes(one)
    return kinds


def verdicts(starts: Sequence[Start], idle: Mapping[str, int]) -> Iterator[Verdict]:
    """Tell of warm starts and of the memory after the last one."""
    yield Verdict("start-up with both servers, warm, to /ready", median(start.ready for start in starts), "s", 4)
    yield Verdict("API process, idle", idle[API] / MB, "MB", 170)
    yield Verdict("everything together without the pages, idle", sum(idle.values()) / MB, "MB", 420)
