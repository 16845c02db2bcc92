"""Conversations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import StreamingResponse

from backend.api.deps import Asker, Page, Sessions
from backend.api.downloads import TextDownload
from backend.api.errors import problems
from backend.core.errors import (
    DocumentNotFoundError,
    ModelNotAllowedError,
    ModelUnknownError,
    SessionNotFoundError,
    TokenInvalidError,
)
from backend.schemas.base import NOT_BLANK, NotBlank, Storable
from backend.schemas.sessions import MessagePage, SessionIn, SessionOut, SessionPage, SessionPatch
from backend.services import transcripts

router = APIRouter(prefix="/chat/sessions", tags=["sessions"], responses=problems(TokenInvalidError))

MODEL = (ModelNotAllowedError, ModelUnknownError)

Search = Annotated[
    str | None,
    Query(alias="q", min_length=1, max_length=200, pattern=NOT_BLANK, description="Looks into titles and messages, without case."),
    NotBlank,
    Storable,
]
WithSuperseded = Annotated[bool, Query(description="Also list answers that were given anew.")]
Form = Annotated[transcripts.Form, Query(alias="format", description="Markdown to read, or JSON with all that is known.")]


@router.get("")
async def list_sessions(caller: Asker, sessions: Sessions, page: Page, search: Search = None) -> SessionPage:
    """List the caller's conversations, the last used first."""
    return SessionPage.of(
        await sessions.page(caller.user_id, limit=page.limit, after=page.after, search=search, reach=caller.reach)
    )


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(DocumentNotFoundError, *MODEL))
async def create_session(body: SessionIn, caller: Asker, sessions: Sessions, response: Response) -> SessionOut:
    """Begin a conversation, about some documents or about all."""
    session = await sessions.create(
        caller.user_id,
        title=body.chosen_title,
        document_ids=body.document_ids,
        strict=body.strict,
        model=body.model,
        reach=caller.reach,
    )
    response.headers["Location"] = f"/api/v1/chat/sessions/{session.id}"
    return SessionOut.of(session)


@router.get("/{session_id}", responses=problems(SessionNotFoundError))
async def read_session(session_id: UUID, caller: Asker, sessions: Sessions) -> SessionOut:
    """Return a conversation, without its messages."""
    return SessionOut.of(await sessions.get(caller.user_id, session_id, reach=caller.reach))


@router.patch("/{session_id}", responses=problems(SessionNotFoundError, DocumentNotFoundError, *MODEL))
async def update_session(session_id: UUID, body: SessionPatch, caller: Asker, sessions: Sessions) -> SessionOut:
    """Change a conversation's title, the documents that it is about, its strictness, or its model."""
    changes = body.model_dump(exclude_unset=True)
    return SessionOut.of(await sessions.update(caller.user_id, session_id, reach=caller.reach, **changes))


@router.delete("/{session_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(SessionNotFoundError))
async def delete_session(session_id: UUID, caller: Asker, sessions: Sessions) -> None:
    """Delete a conversation with all of its messages, at once and for good."""
    await sessions.delete(caller.user_id, session_id, reach=caller.reach)


@router.get("/{session_id}/messages", responses=problems(SessionNotFoundError))
async def list_messages(
    session_id: UUID, caller: Asker, sessions: Sessions, page: Page, superseded: WithSuperseded = False
) -> MessagePage:
    """List the messages of a conversation, oldest first, with their sources."""
    return MessagePage.of(
        await sessions.messages(
            caller.user_id, session_id, limit=page.limit, after=page.after, superseded=superseded, reach=caller.reach
        )
    )


@router.get(
    "/{session_id}/export",
    response_class=StreamingResponse,
    responses={
        **problems(SessionNotFoundError),
        200: {"content": {"text/markdown": {}, "application/json": {}}, "description": "The file."},
    },
)
async def export_session(session_id: UUID, caller: Asker, sessions: Sessions, form: Form = "md") -> TextDownload:
    """Return a conversation as a file: questions, answers, and what they cite."""
    transcript = await sessions.transcript(caller.user_id, session_id, form, reach=caller.reach)
    return TextDownload(transcript.title, form, transcript.pieces)
