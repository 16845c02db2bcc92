"""Counting what is limited: how often something happens, and how often at the same time."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Allowance:
    """The state of a rate. ``reset_seconds`` tells when the next unit becomes free, 0 if nothing is used."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: float


class Limiter(Protocol):
    """Counts by rule and subject: two rules, or two subjects of a rule, never share a count.

    A rate lets ``limit`` units through in ``seconds``, as a sliding window that is kept in two counters: the previous window counts
    with the share that still overlaps, as if its units had come evenly. Concurrent calls never get more than the limit together.
    ``limit`` and ``seconds`` belong to the count: another limit for the same subject starts at nothing.

    Concurrency is counted in leases, which expire: what a killed process held becomes free by itself.

    Every method may raise ``LimiterUnavailableError``.
    """

    async def take(self, rule: str, subject: str, *, limit: int, seconds: int, cost: int = 1) -> Allowance:
        """Take so many units, all or none, and return the state afterwards; ``allowed`` says whether they were taken."""
        ...

    async def peek(self, rule: str, subject: str, *, limit: int, seconds: int) -> Allowance:
        """Return the state without taking; ``allowed`` says whether one unit could be taken."""
        ...

    async def forget(self, rule: str, subject: str, *, limit: int, seconds: int) -> None:
        """Set the count of a rate back to nothing."""
        ...

    async def enter(self, rule: str, subject: str, *, limit: int, lease_seconds: float) -> str | None:
        """Begin something that counts until ``leave``; return its lease, or ``None`` if ``limit`` leases are out already."""
        ...

    async def renew(self, rule: str, subject: str, lease: str, *, lease_seconds: float) -> None:
        """Let a lease begin anew, also one that has expired meanwhile: what it stands for is going on."""
        ...

    async def leave(self, rule: str, subject: str, lease: str) -> None:
        """Give a lease back; one that has expired is ignored."""
        ...

    async def entered(self, rule: str, subject: str) -> int:
        """Return how many leases are out."""
        ...

    async def check(self) -> None:
        """Return if the counts can be reached."""
        ...

    async def aclose(self) -> None:
        """Close connections; afterwards the object is not used again."""
        ...
