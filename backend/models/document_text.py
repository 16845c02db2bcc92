"""The canonical text of documents."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class DocumentTextRow(Base):
    """The text that every offset counts in, with ``pages`` as a list of [number, start, end].

    Texts of earlier versions stay as long as their document, for old citations point into them.
    """

    __tablename__ = "document_texts"
    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "document_id"], ["documents.owner_id", "documents.id"], ondelete="CASCADE"),
    )

    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, server_default="1", autoincrement=False)
    owner_id: Mapped[UUID]
    text: Mapped[str]
    pages: Mapped[list[Any]] = mapped_column(JSONB)
