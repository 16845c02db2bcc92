"""What only administrators see."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from backend.api.deps import Admin, Audit, Days, Page, Reindexing, Usage
from backend.api.errors import problems
from backend.core.errors import AdminOnlyError, EmbedderUnusableError, TokenInvalidError
from backend.schemas.base import Text
from backend.schemas.reindex import ReindexIn, ReindexOut
from backend.schemas.usage import TotalUsageOut
from backend.schemas.users import AuditPage

router = APIRouter(prefix="/admin", tags=["admin"], responses=problems(TokenInvalidError, AdminOnlyError))


@router.get("/audit")
async def list_audit_events(
    _admin: Admin,
    audit: Audit,
    page: Page,
    kind: Annotated[Text | None, Query(min_length=1, max_length=50, description="Such as `sign_in_failed`.")] = None,
    user_id: Annotated[UUID | None, Query(description="Events about this account only.")] = None,
) -> AuditPage:
    """List security events, newest first."""
    return AuditPage.of(await audit.page(limit=page.limit, after=page.after, kind=kind, subject_id=user_id))


@router.get("/usage")
async def list_total_usage(_admin: Admin, usage: Usage, days: Days = 30) -> TotalUsageOut:
    """Return what all accounts together have used day by day."""
    return TotalUsageOut.of(await usage.totals(days=days))


@router.get("/reindex")
async def read_reindex(_admin: Admin, reindexing: Reindexing) -> ReindexOut:
    """Return how far the latest change of the embedding model is."""
    return ReindexOut.of(await reindexing.state())


@router.post(
    "/reindex",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(EmbedderUnusableError),
)
async def start_reindex(body: ReindexIn, _admin: Admin, reindexing: Reindexing) -> ReindexOut:
    """Embed everything with another model, beside the present one; without one, rebuild the vector index from PostgreSQL.

    Questions are answered all the time: by an owner's old vectors until all of the new ones are there.
    """
    if body.name is None:
        await reindexing.rebuild()
        return ReindexOut.of(await reindexing.state())
    return ReindexOut.of(await reindexing.change(body.name))


@router.delete("/reindex", status_code=status.HTTP_204_NO_CONTENT)
async def drop_old_vectors(_admin: Admin, reindexing: Reindexing) -> None:
    """Remove the vectors that no answer comes from any more. Those of a change that is under way stay."""
    await reindexing.drop_old()
