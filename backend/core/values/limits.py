"""What accounts may use, and what they have used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from backend.core.values.user import Tier as TierName

LimitName = Literal["requests_per_minute", "concurrent_streams", "documents", "stored_bytes", "tokens_per_day"]


@dataclass(frozen=True, slots=True)
class Tier:
    """The limits of one tier. Days are days of UTC.

    ``models`` are the ids that may be named, in which ``*`` stands for any text; ``None`` is every model.
    """

    name: TierName
    requests_per_minute: int
    concurrent_streams: int
    documents: int
    stored_bytes: int
    tokens_per_day: int
    models: tuple[str, ...] | None = None

    def allows(self, spellings: Iterable[str]) -> bool:
        """Return whether a model may be named; ``spellings`` are all of its ids. Case counts."""
        return self.models is None or any(_fits(pattern, id_) for id_ in spellings for pattern in self.models)


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One account's questions and tokens of one day."""

    day: date
    questions: int
    prompt_tokens: int
    completion_tokens: int

    @property
    def tokens(self) -> int:
        """What counts against the tier's tokens a day."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What all accounts together have used on one day, and how many accounts asked something."""

    day: date
    accounts: int
    questions: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An account's documents that are not deleted, and the bytes of their files."""

    documents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LimitState:
    """One limit of an account. ``reset_seconds`` tells when more becomes free by itself; ``None``: not with time."""

    name: LimitName
    limit: int
    used: int
    reset_seconds: float | None

    @property
    def remaining(self) -> int:
        """What is left. A tier that was lowered leaves nothing, not less."""
        return max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class UsageState:
    """All limits of an account. ``enforced`` is false where LIMITS_ENABLED is."""

    tier: TierName
    enforced: bool
    limits: tuple[LimitState, ...]


def _fits(pattern: str, text: str) -> bool:
    """Tell whether a text is what a pattern says, in a time that its length bounds."""
    first, *parts = pattern.split("*")
    if not parts:
        return pattern == text
    *middle, last = parts
    at, end = len(first), len(text) - len(last)
    if end < at or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
