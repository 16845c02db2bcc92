"""Conversations on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.core.values.chat import AnswerStatus, ChatSession, Leg, Message, MessageRole, MessageStatus, Rating
from backend.core.values.page import Page
from backend.schemas.base import NOT_BLANK, DocumentIds, NotBlank, RequestModel, ResponseModel, Storable
from backend.schemas.chat import ModelId, SourceOut, TimingsOut, UsageOut
from backend.schemas.page import PageOut, cursor_of

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=NOT_BLANK), NotBlank, Storable]


class SessionIn(RequestModel):
    """A new conversation."""

    title: Title = Field("New conversation", description="Without it, what is asked gives the title.")
    document_ids: DocumentIds | None = Field(None, description="Searches these documents only; without it, all.")
    strict: bool = Field(False, description="Answers from the documents alone.")
    model: ModelId | None = Field(None, description="Answers questions that name none; without it, the default model does.")

    @property
    def chosen_title(self) -> str | None:
        """The title, if one was sent."""
        return self.title if "title" in self.model_fields_set else None


class SessionPatch(RequestModel):
    """What may be changed about a conversation; what is left out stays."""

    # They may be left out, but not taken away. No default shows in the API's description, and none is ever read.
    title: Annotated[Title, Field(default_factory=str)]
    document_ids: DocumentIds | None = Field(None, description="Searches these documents only; null: all.")
    strict: Annotated[bool, Field(default_factory=bool, description="Answers from the documents alone.")]
    model: ModelId | None = Field(None, description="Answers questions that name none; null: the default model does.")


class SessionOut(ResponseModel):
    """A conversation."""

    id: UUID
    title: str
    document_ids: list[UUID] | None
    strict: bool = Field(description="Whether it is answered from the documents alone.")
    titled: bool = Field(description="Whether somebody, or the model, has given it its title.")
    model: str | None = Field(description="The model that answers its questions that name none; null: the default one.")
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
    superseded: bool = Field(description="Whether the conversation goes on without this answer, for it was given anew.")
    feedback: Rating | None
    feedback_comment: str | None
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
