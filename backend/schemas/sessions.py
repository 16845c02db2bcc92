"""Conversations on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import AnswerStatus, ChatSession, Leg, Message, MessageRole, MessageStatus
from backend.core.values.page import Page
from backend.schemas.base import NOT_BLANK, DocumentIds, RequestModel, ResponseModel, Storable
from backend.schemas.chat import SourceOut, TimingsOut, UsageOut
from backend.schemas.page import PageOut, cursor_of

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=NOT_BLANK), Storable]


class SessionIn(RequestModel):
    """A new conversation."""

    title: Title = "New conversation"
    document_ids: DocumentIds | None = Field(None, description="Searches these documents only; without it, all.")


class SessionPatch(RequestModel):
    """What may be changed about a conversation."""

    title: Title


class SessionOut(ResponseModel):
    """A conversation."""

    id: UUID
    title: str
    document_ids: list[UUID] | None
    created_at: datetime
    updated_at: datetime = Field(description="When it was last used.")

    @classmethod
    def of(cls, session: ChatSession) -> "SessionOut":
        """Build it from the service's answer."""
        return cls.model_validate(session)


class SessionPage(PageOut[SessionOut]):
    """Conversations, the last used first."""

    @classmethod
    def of(cls, page: Page[ChatSession]) -> "SessionPage":
        """Build it from the service's answer."""
        return cls(items=[SessionOut.of(item) for item in page.items], next_cursor=cursor_of(page))


class MessageOut(ResponseModel):
    """A question or an answer."""

    id: UUID
    session_id: UUID
    role: MessageRole
    content: str
    status: MessageStatus
    answer_status: AnswerStatus | None
    finish_reason: str | None
    error_code: str | None
    model: str | None
    usage: UsageOut | None
    timings: TimingsOut | None
    degraded: list[Leg]
    pending_document_ids: list[UUID]
    searched_for: str | None
    sources: list[SourceOut]
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """Build it from the service's answer."""
        return cls.model_validate(message)


class MessagePage(PageOut[MessageOut]):
    """Messages, oldest first."""

    @classmethod
    def of(cls, page: Page[Message]) -> "MessagePage":
        """Build it from the service's answer."""
        return cls(items=[MessageOut.of(item) for item in page.items], next_cursor=cursor_of(page))
