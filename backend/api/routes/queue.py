"""The queue, for administrators."""

from fastapi import APIRouter

from backend.api.deps import Admin, Page, Queue
from backend.api.errors import problems
from backend.core.errors import AdminOnlyError, TokenInvalidError
from backend.schemas.queue import FailurePage, QueueOut

router = APIRouter(prefix="/admin/queue", tags=["admin"], responses=problems(TokenInvalidError, AdminOnlyError))


@router.get("")
async def read_queue(_admin: Admin, queue: Queue) -> QueueOut:
    """Return what waits, runs and has failed in the queue, and which workers are there."""
    return QueueOut.model_validate(await queue.state())


@router.get("/failures")
async def list_failures(_admin: Admin, queue: Queue, page: Page) -> FailurePage:
    """List documents and tasks that failed, of all accounts, the latest first: ids and codes, and no content."""
    return FailurePage.of(await queue.failures(limit=page.limit, after=page.after))
