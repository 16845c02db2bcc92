"""Sizes of corpora for BM25."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class CorpusSizeRow(Base):
    """How many ready chunks of a language (see ``ChunkRow``) an owner has, and the sum of their lengths; no row for none."""

    __tablename__ = "corpus_sizes"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True, server_default="english")
    chunks: Mapped[int] = mapped_column(BigInteger)
    total_length: Mapped[int] = mapped_column(BigInteger)
