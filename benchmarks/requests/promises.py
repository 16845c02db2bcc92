"""What was promised of requests, and how it is told from what was measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Round:
    """What one round took. Times in milliseconds: of each kind of request in a row, and of others in quiet and in a storm."""

    took: dict[str, list[float]]
    idle: list[float]
    stormy: list[float]
    signed_in_per_second: float

    def middle(self, name: str) -> float:
        return median(self.took[name])


def p99(values: Sequence[float]) -> float:
    return float(np.percentile(values, 99))


def bare(one: Round) -> float:
    """Return what a round trip to the database and a request take at the least."""
    return one.middle("round trip") + one.middle("bare FastAPI")


def verdicts(rounds: Sequence[Round]) -> Iterator[Verdict]:
    yield Verdict("sign-in, p50", median(one.middle("sign-in") for one in rounds), "ms", 60)
    yield Verdict("sign-ins", median(one.signed_in_per_second for one in rounds), "/s", 40, at_least=True)
    longer = median(p99(one.stormy) / p99(one.idle) for one in rounds)
    yield Verdict("other requests in a storm of sign-ins, p99, of that in quiet", longer, "x", 5)
    ratio = median(one.middle("me") / bare(one) for one in rounds)
    yield Verdict("GET /auth/me, of a bare round trip and a bare request", ratio, "x", 3)
