"""Documents as resources: ``docent://documents/{document_id}`` is the text of one."""

from uuid import UUID

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from backend.api.mcp.call import Call
from backend.api.mcp.context import Context, call_of
from backend.core.errors import DocumentNotFoundError
from backend.core.values.document import Document
from backend.core.values.page import Cursor
from backend.schemas.page import cursor_of

PREFIX = "docent://documents/"
MEDIA_TYPE = "text/plain"
LISTED = 50
LONGEST_TEXT = 500_000
"""Code points: a client asks for a resource as a whole, and nothing is cut silently."""


def _call(context: Context) -> Call:
    call = call_of(context)
    call.allow("documents:read")
    return call


async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
    """List the caller's documents that have been read, newest first."""
    call = _call(context)
    after = None if params is None or params.cursor is None else Cursor.decode(params.cursor)
    page = await call.services.documents.page(call.caller.user_id, limit=LISTED, after=after, reach=call.caller.reach)
    return ListResourcesResult(
        resources=[_listed(document) for document in page.items if document.live_version is not None], next_cursor=cursor_of(page)
    )


async def list_templates(context: Context, _params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
    """Say how the addresses of documents are made."""
    _call(context)
    template = ResourceTemplate(
        name="document",
        title="Document",
        uri_template=PREFIX + "{document_id}",
        description="The text of one of the user's documents.",
        mime_type=MEDIA_TYPE,
    )
    return ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    """Return the text of a document.

    Raises:
        DocumentNotFoundError: The caller has no such document, or the address is of something else.
        MCPError: The text is too long to be sent as a whole.
    """
    call, uri = _call(context), str(params.uri)
    document_id = _document_id(uri)
    if not call.caller.reach.covers([document_id]):
        raise DocumentNotFoundError
    excerpt = await call.services.documents.excerpt(call.caller.user_id, document_id, start=0, end=LONGEST_TEXT)
    if excerpt.end < excerpt.length:
        sentence = f"The text is longer than {LONGEST_TEXT:,} characters. Read parts of it with the tool read_passage."
        raise MCPError(INVALID_PARAMS, sentence)
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=MEDIA_TYPE, text=excerpt.text)])


def _document_id(uri: str) -> UUID:
    try:
        return UUID(uri.removeprefix(PREFIX)) if uri.startswith(PREFIX) else _nothing()
    except ValueError:
        return _nothing()


def _nothing() -> UUID:
    raise DocumentNotFoundError


def _listed(document: Document) -> Resource:
    return Resource(
        uri=f"{PREFIX}{document.id}",
        name=document.filename,
        title=document.title,
        description=f"Text of {document.filename}, uploaded {document.created_at:%Y-%m-%d}.",
        mime_type=MEDIA_TYPE,
    )
