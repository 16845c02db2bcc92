"""Chunks: what is searched and cited."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class ChunkRow(Base):
    """One chunk: ``text`` is the canonical text at [start:end]; ``length`` is the number of its lexemes, for BM25.

    ``language`` is the text search configuration that made ``tsv`` of ``search_text``.
    """

    __tablename__ = "chunks"
    __table_args__ = (
        UniqueConstraint("owner_id", "id"),
        ForeignKeyConstraint(["owner_id", "document_id"], ["documents.owner_id", "documents.id"], ondelete="CASCADE"),
        UniqueConstraint("document_id", "version", "ordinal"),
        Index(None, "owner_id", "document_id"),
        Index("ix_chunks_tsv", "tsv", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    document_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(server_default="1")
    ordinal: Mapped[int]
    page: Mapped[int | None]
    heading: Mapped[str | None]
    start: Mapped[int] = mapped_column("start_offset")
    end: Mapped[int] = mapped_column("end_offset")
    text: Mapped[str]
    search_text: Mapped[str]
    language: Mapped[str] = mapped_column(server_default="english")
    tsv: Mapped[str] = mapped_column(TSVECTOR)
    length: Mapped[int]
