"""Conversations."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from backend.api.deps import Asker, Page, Sessions
from backend.api.errors import problems
from backend.core.errors import DocumentNotFoundError, SessionNotFoundError, TokenInvalidError
from backend.schemas.sessions import MessagePage, SessionIn, SessionOut, SessionPage, SessionPatch

router = APIRouter(prefix="/chat/sessions", tags=["sessions"], responses=problems(TokenInvalidError))


@router.get("")
async def list_sessions(caller: Asker, sessions: Sessions, page: Page) -> SessionPage:
    """List the caller's conversations, the last used first."""
    return SessionPage.of(await sessions.page(caller.user_id, limit=page.limit, after=page.after, reach=caller.reach))


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(DocumentNotFoundError))
async def create_session(body: SessionIn, caller: Asker, sessions: Sessions, response: Response) -> SessionOut:
    """Begin a conversation, about some documents or about all."""
    session = await sessions.create(caller.user_id, title=body.title, document_ids=body.document_ids, reach=caller.reach)
    response.headers["Location"] = f"/api/v1/chat/sessions/{session.id}"
    return SessionOut.of(session)


@router.get("/{session_id}", responses=problems(SessionNotFoundError))
async def read_session(session_id: UUID, caller: Asker, sessions: Sessions) -> SessionOut:
    """Return a conversation, without its messages."""
    return SessionOut.of(await sessions.get(caller.user_id, session_id, reach=caller.reach))


@router.patch("/{session_id}", responses=problems(SessionNotFoundError))
async def update_session(session_id: UUID, body: SessionPatch, caller: Asker, sessions: Sessions) -> SessionOut:
    """Change a conversation's title."""
    return SessionOut.of(await sessions.rename(caller.user_id, session_id, body.title, reach=caller.reach))


@router.delete("/{session_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(SessionNotFoundError))
async def delete_session(session_id: UUID, caller: Asker, sessions: Sessions) -> None:
    """Delete a conversation with all of its messages, at once and for good."""
    await sessions.delete(caller.user_id, session_id, reach=caller.reach)


@router.get("/{session_id}/messages", responses=problems(SessionNotFoundError))
async def list_messages(session_id: UUID, caller: Asker, sessions: Sessions, page: Page) -> MessagePage:
    """List the messages of a conversation, oldest first, with their sources."""
    return MessagePage.of(
        await sessions.messages(caller.user_id, session_id, limit=page.limit, after=page.after, reach=caller.reach)
    )
