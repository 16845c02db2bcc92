"""Everything that is the caller's, to take along."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from backend.api.deps import Exporter, Origin, RunningExport, SignedIn
from backend.api.downloads import ExportDownload
from backend.api.errors import problems
from backend.core.errors import BlobStoreUnavailableError, RateLimitedError, TokenInvalidError

router = APIRouter(prefix="/auth/me", tags=["auth"], responses=problems(TokenInvalidError))


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        **problems(RateLimitedError, BlobStoreUnavailableError),
        200: {"content": {"application/zip": {}}, "description": "The zip file."},
    },
)
async def export_me(caller: SignedIn, exporter: Exporter, origin: Origin, _: RunningExport) -> ExportDownload:
    """Return everything of the caller's as one zip file: documents, conversations, keys, usage and events. One at a time."""
    return ExportDownload("docent-export.zip", exporter.export(caller.user_id, origin=origin))
