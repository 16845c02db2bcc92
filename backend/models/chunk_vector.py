"""Vectors: PostgreSQL holds the truth, Chroma an index of it."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class ChunkVectorRow(Base):
    """One vector as little-endian float16 bytes; ``indexed`` says that Chroma has confirmed it.

    NULL where the embedder refused the text: such a chunk is found by its words only.
    """

    __tablename__ = "chunk_vectors"
    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "chunk_id"], ["chunks.owner_id", "chunks.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["owner_id", "generation_id"], ["index_generations.owner_id", "index_generations.id"], ondelete="CASCADE"
        ),
        Index(None, "owner_id", "generation_id"),
        Index("ix_chunk_vectors_unindexed", "owner_id", "generation_id", postgresql_where=text("not indexed")),
    )

    chunk_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    vector: Mapped[bytes | None]
    indexed: Mapped[bool] = mapped_column(server_default="false")
