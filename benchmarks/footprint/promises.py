"""What was promised of starts and memory, and how it is told from what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.footprint.kinds import API
from benchmarks.verdicts import Verdict

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the beginning of ``docent serve`` to when ``/ready`` said 200, and to when Chroma answered as well."""

    ready: float
    whole: float


def verdicts(starts: Sequence[Start], idle: Mapping[str, float]) -> Iterator[Verdict]:
    """Tell of warm starts and of the memory after the last one."""
    yield Verdict("start-up with both servers, warm, to /ready", median(start.ready for start in starts), "s", 4)
    yield Verdict("API process, idle", idle[API] / MB, "MB", 170)
    yield Verdict("everything together without the pages, idle", sum(idle.values()) / MB, "MB", 420)
