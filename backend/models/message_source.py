"""The passages behind an answer."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class MessageSourceRow(Base):
    """One passage that an answer was given. It keeps its quote, so that old answers stay readable when documents go."""

    __tablename__ = "message_sources"
    __table_args__ = (ForeignKeyConstraint(["owner_id", "message_id"], ["messages.owner_id", "messages.id"], ondelete="CASCADE"),)

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    marker: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(server_default="1")
    title: Mapped[str]
    page: Mapped[int | None]
    heading: Mapped[str | None]
    start: Mapped[int] = mapped_column("start_offset")
    end: Mapped[int] = mapped_column("end_offset")
    quote: Mapped[str]
    score: Mapped[float]
    cited: Mapped[bool]
