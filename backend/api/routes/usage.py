"""What the caller has used."""

from fastapi import APIRouter

from backend.api.deps import Days, SignedIn, Usage
from backend.api.errors import problems
from backend.core.errors import TokenInvalidError
from backend.schemas.usage import AccountUsageOut, UsageHistoryOut

router = APIRouter(prefix="/auth/me", tags=["auth"], responses=problems(TokenInvalidError))


@router.get("/usage")
async def read_usage(caller: SignedIn, usage: Usage) -> AccountUsageOut:
    """Return the limits of the caller's tier and how much of each is used."""
    return AccountUsageOut.of(await usage.state(caller.user_id, caller.tier))


@router.get("/usage/days")
async def list_usage(caller: SignedIn, usage: Usage, days: Days = 30) -> UsageHistoryOut:
    """Return what the caller has used day by day."""
    return UsageHistoryOut.of(await usage.days(caller.user_id, days=days))
