"""Document frequencies for BM25, per owner: nobody's corpus shows through somebody else's scores."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class LexemeRow(Base):
    """In how many of the owner's ready chunks of a language (see ``ChunkRow``) a lexeme occurs."""

    __tablename__ = "lexemes"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True, server_default="english")
    lexeme: Mapped[str] = mapped_column(primary_key=True)
    frequency: Mapped[int]
