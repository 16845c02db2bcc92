"""Questions that are answered in the background."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class TaskRow(Base):
    """One question that a worker answers. Ids are UUIDv7, so their order is that in which they were asked.

    ``request`` is what cannot be read from its conversation. ``waiting_since`` is when the outage began that it waits for.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("owner_id", "message_id"),
        # A child names its parent by owner and id: foreign keys ignore row-level security.
        ForeignKeyConstraint(["owner_id", "session_id"], ["chat_sessions.owner_id", "chat_sessions.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["owner_id", "message_id"], ["messages.owner_id", "messages.id"], ondelete="CASCADE"),
        Index(None, "owner_id", "id"),
        Index(None, "owner_id", "session_id"),
        Index("ix_tasks_live", "owner_id", "id", postgresql_where=text("state in ('queued', 'running')")),
        CheckConstraint("state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    session_id: Mapped[UUID]
    message_id: Mapped[UUID]
    api_key_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(server_default="queued")
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    attempts: Mapped[int] = mapped_column(server_default="0")
    characters: Mapped[int] = mapped_column(server_default="0")
    waiting_for: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
