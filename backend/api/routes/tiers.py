"""Tiers, for administrators."""

from fastapi import APIRouter

from backend.api.deps import Admin, Origin, Tiers
from backend.api.errors import problems
from backend.core.errors import AdminOnlyError, TierNotFoundError, TokenInvalidError
from backend.core.values.user import Tier as TierName
from backend.schemas.tiers import TierOut, TierPatch, TiersOut

router = APIRouter(prefix="/admin/tiers", tags=["admin"], responses=problems(TokenInvalidError, AdminOnlyError))


@router.get("")
async def list_tiers(_admin: Admin, tiers: Tiers) -> TiersOut:
    """List the tiers and what they allow, the smallest first."""
    return TiersOut.of(await tiers.all())


@router.patch("/{tier}", responses=problems(TierNotFoundError))
async def update_tier(tier: TierName, body: TierPatch, admin: Admin, tiers: Tiers, origin: Origin) -> TierOut:
    """Change what a tier allows, for all of its accounts. Rates count within five seconds, the rest at once."""
    return TierOut.of(await tiers.change(admin, tier, body.changes, origin=origin))
