"""Generations of an owner's vector index."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class IndexGenerationRow(Base):
    """The vectors of one owner by one embedder, and the Chroma collection that indexes them."""

    __tablename__ = "index_generations"
    __table_args__ = (
        UniqueConstraint("owner_id", "id"),
        UniqueConstraint("owner_id", "embedder"),
        UniqueConstraint("collection"),
        CheckConstraint("state in ('building', 'ready', 'broken')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    embedder: Mapped[str]
    dimensions: Mapped[int]
    collection: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
