"""Conversations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from backend.models.base import Base


class ChatSessionRow(Base):
    """One conversation. ``document_ids`` is null when it searches all documents of its owner.

    A strict one is answered from the documents alone; ``model`` answers its questions that name none.
    ``titled`` says that somebody, or the model, has given it its title.
    ``api_key_id`` is set when a key made it: a key that reaches some documents only sees its own conversations only.
    """

    __tablename__ = "chat_sessions"
    __table_args__ = (
        UniqueConstraint("owner_id", "id"),
        Index(None, "owner_id", "updated_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    api_key_id: Mapped[UUID | None]
    document_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    strict: Mapped[bool] = mapped_column(server_default="false")
    titled: Mapped[bool] = mapped_column(server_default="false")
    model: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
