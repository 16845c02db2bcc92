"""Generations of an owner's vector index."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class IndexGenerationRow(Base):
    """The vectors of one owner by one embedder, and the Chroma collection that indexes them.

    The one that is ready answers; one that is building takes its place when nothing is missing in it; a retired one is kept until
    somebody drops it. ``removed`` counts the vectors that were deleted from the collection since it was made.
    """

    __tablename__ = "index_generations"
    __table_args__ = (
        UniqueConstraint("owner_id", "id"),
        UniqueConstraint("owner_id", "embedder"),
        UniqueConstraint("collection"),
        Index("uq_index_generations_ready", "owner_id", unique=True, postgresql_where=text("state = 'ready'")),
        CheckConstraint("state in ('building', 'ready', 'retired', 'broken')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    embedder: Mapped[str]
    dimensions: Mapped[int]
    collection: Mapped[str]
    state: Mapped[str]
    removed: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
