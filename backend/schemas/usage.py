"""Limits and their use on the wire."""

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from backend.core.values.limits import DayTotals, DayUsage, LimitName, UsageState
from backend.core.values.user import Tier as TierName
from backend.schemas.base import ResponseModel


class LimitOut(ResponseModel):
    """One limit and how much of it is used."""

    name: LimitName
    limit: int
    used: int
    remaining: int
    reset_seconds: float | None = Field(description="When more becomes free by itself; null where that does not come with time.")


class AccountUsageOut(ResponseModel):
    """What the account may use, and what it has used."""

    tier: TierName
    enforced: bool = Field(description="Whether this server refuses what is over a limit.")
    limits: list[LimitOut]

    @classmethod
    def of(cls, state: UsageState) -> "AccountUsageOut":
        """Build it from the service's answer."""
        return cls.model_validate(state)


class DayUsageOut(ResponseModel):
    """What was used on one day of UTC."""

    day: date
    questions: int
    prompt_tokens: int
    completion_tokens: int


class UsageHistoryOut(ResponseModel):
    """Days, today first; those without use are left out."""

    days: list[DayUsageOut]

    @classmethod
    def of(cls, days: Sequence[DayUsage]) -> "UsageHistoryOut":
        """Build it from the service's answer."""
        return cls(days=[DayUsageOut.model_validate(day) for day in days])


class DayTotalsOut(DayUsageOut):
    """What all accounts together have used on one day of UTC."""

    accounts: int = Field(description="How many accounts asked something.")


class TotalUsageOut(ResponseModel):
    """Days, today first; those without use are left out."""

    days: list[DayTotalsOut]

    @classmethod
    def of(cls, days: Sequence[DayTotals]) -> "TotalUsageOut":
        """Build it from the service's answer."""
        return cls(days=[DayTotalsOut.model_validate(day) for day in days])
