"""Questions and answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from backend.models.base import Base


class MessageRow(Base):
    """One message. Ids are UUIDv7, so the order of the ids is the order of the conversation.

    A superseded answer was given anew: it stays readable, and the conversation goes on without it. ``searched_for`` is the question
    as it was searched, where that is not how it was asked.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("owner_id", "id"),
        # A child names its parent by owner and id: foreign keys ignore row-level security.
        ForeignKeyConstraint(["owner_id", "session_id"], ["chat_sessions.owner_id", "chat_sessions.id"], ondelete="CASCADE"),
        Index(None, "owner_id", "session_id", "id"),
        # One question at a time: the second one of a session violates this.
        Index("uq_messages_streaming", "session_id", unique=True, postgresql_where=text("status = 'streaming'")),
        CheckConstraint("role in ('user', 'assistant')", name="role"),
        CheckConstraint("status in ('streaming', 'complete', 'incomplete', 'stopped')", name="status"),
        CheckConstraint("feedback in ('up', 'down')", name="feedback"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    session_id: Mapped[UUID]
    role: Mapped[str]
    content: Mapped[str]
    status: Mapped[str]
    answer_status: Mapped[str | None]
    finish_reason: Mapped[str | None]
    error_code: Mapped[str | None]
    model: Mapped[str | None]
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    timings: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    degraded: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    pending_document_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid(as_uuid=True)), server_default="{}")
    superseded: Mapped[bool] = mapped_column(server_default="false")
    searched_for: Mapped[str | None]
    invented_markers: Mapped[int] = mapped_column(server_default="0")
    feedback: Mapped[str | None]
    feedback_comment: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
