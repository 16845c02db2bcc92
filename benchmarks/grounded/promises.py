"""What was promised of grounded answers, and how it is told from what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.verdicts import Verdict

SMALL, LARGE = "grounded, 10 KB", "grounded, 10 MB"


@dataclass(frozen=True, slots=True)
class Row:
    """What one target did in one round, in milliseconds."""

    first: float
    first_p99: float
    failures: tuple[str, ...] = ()


Rows = Mapping[str, Sequence[Row]]
"""What was measured with a number of streams: of each target, a row for each round."""


def added(rows: Rows, target: str) -> float:
    """Return what a target adds to the model's own first token, beyond the embedding of the question: the rounds' median."""
    return median(
        one.first - direct.first - embedding.first
        for one, direct, embedding in zip(rows[target], rows["direct"], rows["embedding"], strict=True)
    )


def verdicts(measured: Mapping[int, Rows]) -> Iterator[Verdict]:
    """Yield what was promised of those numbers of streams that were measured."""
    if {1, 32} <= set(measured):
        for target in (SMALL, LARGE):
            alone, together = added(measured[1], target), added(measured[32], target)
            yield Verdict(f"{target}: added first token at 1 stream, beyond the embedding", alone, "ms", 15)
            yield Verdict(f"{target}: that at 32 streams, of that at 1", together / alone, "x", 2)
    for streams, rows in measured.items():
        more = added(rows, LARGE) / added(rows, SMALL)
        yield Verdict(f"added first token with 10 MB of documents, of that with 10 KB, at {streams} streams", more, "x", 1.5)
    failures = sum(len(row.failures) for rows in measured.values() for several in rows.values() for row in several)
    yield Verdict("grounded chat: errors", failures, "", 0)
