"""Uploaded files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class DocumentRow(Base):
    """One uploaded file and the state of its indexing.

    ``version`` counts the files that were uploaded under this id; ``live_version`` is the one that is searched, NULL until the
    first is ready. While a new version is read, and where it cannot be, the live one goes on answering.
    """

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("owner_id", "id"),
        # Concurrent uploads of the same bytes cannot slip through; a deleted one is out of the way at once.
        Index("uq_documents_sha256", "owner_id", "sha256", unique=True, postgresql_where=text("deleted_at is null")),
        Index(None, "owner_id", "created_at", "id"),
        CheckConstraint("status in ('pending', 'processing', 'ready', 'failed')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    blob_key: Mapped[str]
    file_lost: Mapped[bool] = mapped_column(server_default="false")
    version: Mapped[int] = mapped_column(server_default="1")
    live_version: Mapped[int | None]
    status: Mapped[str] = mapped_column(server_default="pending")
    progress_done: Mapped[int] = mapped_column(server_default="0")
    progress_total: Mapped[int] = mapped_column(server_default="0")
    stage: Mapped[str | None]
    waiting_for: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    language: Mapped[str | None]
    notes: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    pages: Mapped[int | None]
    chunks: Mapped[int] = mapped_column(server_default="0")
    tokens_extracted: Mapped[int | None]
    tokens_embedded: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    queued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ready_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
