"""Security events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class AuditEventRow(Base):
    """One event, for administrators. It outlives the accounts it names, so it has no foreign keys, and holds no secret."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "occurred_at", "id"), Index(None, "subject_id", "occurred_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())
    kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    address: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
