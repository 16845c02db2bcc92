"""What was sent, how it was answered, and what was disturbed meanwhile."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

import httpx2

RECOVERY_SECONDS = 5.0
"""What is asked later than this after all is back must not be refused any more. What it really takes is in the table."""
KILLED = frozenset({"answer_cut"})
"""What an answer may end with whose process was killed."""


@dataclass(slots=True)
class Disturbance:
    """Something that was done to the topology. ``codes`` are the errors that it excuses."""

    name: str
    codes: frozenset[str]
    began: float
    ended: float | None = None

    def touches(self, began: float, ended: float) -> bool:
        """Tell whether it may have been felt between two moments."""
        return self.began <= ended and (self.ended is None or began <= self.ended + RECOVERY_SECONDS)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request and what came of it: a status, with the code of its error, or how a stream or a connection ended."""

    operation: str
    outcome: str
    good: bool
    began: float
    ended: float


@dataclass(slots=True)
class Tally:
    """All that was sent in one trial, and what was wrong with it."""

    sent: list[Sent] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    """Requests that were answered 500, by their ids."""

    @asynccontextmanager
    async def disturbed(self, name: str, *codes: str) -> AsyncIterator[None]:
        """Note a disturbance that lasts as long as the block."""
        disturbance = Disturbance(name, frozenset(codes), monotonic())
        self.disturbances.append(disturbance)
        try:
            yield
        finally:
            disturbance.ended = monotonic()

    def answered(self, operation: str, response: httpx2.Response, began: float, expected: frozenset[int]) -> str:
        """Judge an answer that is no success by its status and the code of its problem; return the code."""
        status = response.status_code
        code = str(response.json().get("code", "")) if "problem+json" in response.headers.get("content-type", "") else ""
        good = status < 300 or status in expected
        self._note(operation, f"{status} {code}".strip(), began, good=good)
        told = f"{operation}: {status} {code} ({response.headers.get('x-request-id')})"
        if status == 500:
            self.broken[response.headers.get("x-request-id", "-")] = told
        elif not good and not self._excused(code, began):
            self.failures.append(f"{told}, and nothing was disturbed that explains it")
        if status == 503 and "retry-after" not in response.headers:
            self.failures.append(f"{told} without Retry-After")
        return code

    def ended(self, operation: str, code: str, began: float, message_id: str) -> None:
        """Judge the last event of a stream: the code of its error, or how its answer ended."""
        good = code in {"complete", "stopped"}
        self._note(operation, code, began, good=good)
        if not good and code != "incomplete" and not self._excused(code, began):
            self.failures.append(
                f"{operation}: the answer {message_id} ended with {code}, and nothing was disturbed that explains it"
            )

    def cut(self, operation: str, began: float) -> None:
        """Note a connection that was refused, or broke. Only what is killed breaks any."""
        self._note(operation, "cut", began, good=False)
        if not self._excused("answer_cut", began):
            self.failures.append(f"{operation}: the connection broke, and nothing was killed")

    def _excused(self, code: str, began: float) -> bool:
        now = monotonic()
        return any(code in each.codes and each.touches(began, now) for each in self.disturbances)

    def _note(self, operation: str, outcome: str, began: float, *, good: bool) -> None:
        self.sent.append(Sent(operation, outcome, good, began, monotonic()))

    # --- the tables ---------------------------------------------------------------------------------------------------
    def tables(self) -> str:
        """Return what was sent with what came of it, and what each kind of disturbance did."""
        lines = [f"{'sent':<22}{'times':>7}  answers"]
        for operation in sorted({each.operation for each in self.sent}):
            outcomes = Counter(each.outcome for each in self.sent if each.operation == operation)
            told = ", ".join(f"{outcome}: {times}" for outcome, times in sorted(outcomes.items()))
            lines.append(f"{operation:<22}{sum(outcomes.values()):>7}  {told}")
        lines += ["", f"{'disturbance':<44}{'times':>6}{'good meanwhile':>16}{'refused or cut':>16}{'well again after':>18}"]
        for name in dict.fromkeys(each.name for each in self.disturbances):
            lines.append(self._told(name, [each for each in self.disturbances if each.name == name]))
        return "\n".join(lines)

    def _told(self, name: str, kind: list[Disturbance]) -> str:
        good = bad = 0
        slowest = 0.0
        for each in kind:
            ended = each.ended or monotonic()
            later = [other.began for other in self.disturbances if other.began > ended]
            until = min([ended + RECOVERY_SECONDS, *later])
            felt = [one for one in self.sent if one.ended >= each.began and one.began <= until]
            good += sum(one.good and one.began <= ended for one in felt)
            bad += sum(not one.good for one in felt)
            # A request that began when all was back, and yet was refused before something else was disturbed.
            refused = [one.ended - ended for one in felt if not one.good and one.began > ended and one.ended <= until]
            slowest = max([slowest, *refused])
        return f"{name:<44}{len(kind):>6}{good:>16}{bad:>16}{slowest:>16.1f} s"
