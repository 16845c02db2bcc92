"""From the SDK's context of a request to ours. Importing this loads the SDK."""

from dataclasses import replace
from typing import Any

from mcp.server import ServerRequestContext

from backend.api.mcp.call import CALL, Call, Tell

Context = ServerRequestContext[Any, Any]


def call_of(context: Context) -> Call:
    """Return what a request is answered with. Progress is told if the client asked for it."""
    assert context.request is not None  # noqa: S101 - messages come over HTTP only
    call: Call = context.request.scope[CALL]
    return replace(call, tell=_tell(context)) if context.meta and "progress_token" in context.meta else call


def _tell(context: Context) -> Tell:
    async def tell(progress: float, sentence: str) -> None:
        await context.session.report_progress(progress, message=sentence)

    return tell
