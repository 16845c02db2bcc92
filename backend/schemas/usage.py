"""Limits and their use on the wire."""

from pydantic import Field

from backend.core.values.limits import LimitName, UsageState
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
