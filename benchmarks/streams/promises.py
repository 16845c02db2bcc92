"""What was promised of streams, and how it is told from what was measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """What one target did in one round. Times in milliseconds, CPU in microseconds."""

    first: float
    first_p99: float
    lag: float
    lag_p99: float
    gap_p99: float
    offered: float
    cpu: float
    cpu_of_all: float
    failures: tuple[str, ...]


Rows = Mapping[str, Sequence[Row]]
"""What was measured with a number of streams: of each target, a row for each round."""


def verdicts(measured: Mapping[int, Rows]) -> Iterator[Verdict]:
    """Yield what was promised of those numbers of streams that were measured."""
    told: dict[int, Callable[[Rows], Iterator[Verdict]]] = {32: _at_32, 128: _at_128, 512: _at_512}
    for streams, tell in told.items():
        if streams in measured:
            yield from tell(measured[streams])
    if {32, 128} <= set(measured):
        longer = _middle(measured[128], "chat", "first") / _middle(measured[32], "chat", "first")
        yield Verdict("chat: first token at 128 streams, of that at 32", longer, "x", 1.15)


def _at_32(rows: Rows) -> Iterator[Verdict]:
    added = [
        (chat.first - direct.first) / (relay.first - direct.first)
        for chat, direct, relay in zip(rows["chat"], rows["direct"], rows["pass-through"], strict=True)
    ]
    yield Verdict("chat: added first token at 32 streams, of the pass-through's", median(added), "x", 6)
    added = [door.first - direct.first for door, direct in zip(rows["openai"], rows["direct"], strict=True)]
    yield Verdict("OpenAI's door: added first token at 32 streams", median(added), "ms", 8)


def _at_128(rows: Rows) -> Iterator[Verdict]:
    for door in ("chat", "openai"):
        cpu = _ratio(rows, "cpu", door, "pass-through")
        yield Verdict(f"{door}: CPU per token at 128 streams, of the pass-through's", cpu, "x", 1.8)
    yield Verdict(
        "chat: lag of a token at 128 streams, of the pass-through's", _ratio(rows, "lag", "chat", "pass-through"), "x", 1.5
    )


def _at_512(rows: Rows) -> Iterator[Verdict]:
    yield Verdict("chat: first token at 512 streams, of direct's", _ratio(rows, "first", "chat", "direct"), "x", 4)
    yield Verdict("chat: first token at 512 streams, p99", _middle(rows, "chat", "first_p99"), "ms", 1000)
    yield Verdict("chat: tokens at 512 streams, of those offered", _middle(rows, "chat", "offered"), "", 0.85, at_least=True)
    yield Verdict("chat: errors at 512 streams", sum(len(row.failures) for row in rows["chat"]), "", 0)


def _middle(rows: Rows, target: str, what: str) -> float:
    return float(median(getattr(row, what) for row in rows[target]))


def _ratio(rows: Rows, what: str, of: str, to: str) -> float:
    """Return the median of the rounds' ratios."""
    return float(median(getattr(this, what) / getattr(that, what) for this, that in zip(rows[of], rows[to], strict=True)))
