"""Accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class UserRow(Base):
    """One account. Usernames and addresses are unique without regard to case."""

    __tablename__ = "users"
    __table_args__ = (
        # A deleted account is out of the way at once, while a job removes what was its own.
        Index("uq_users_username", text("lower(username)"), unique=True, postgresql_where=text("deleted_at is null")),
        Index("uq_users_email", text("lower(email)"), unique=True, postgresql_where=text("deleted_at is null")),
        CheckConstraint("role in ('user', 'admin')", name="role"),
        CheckConstraint("tier in ('free', 'pro', 'enterprise')", name="tier"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    full_name: Mapped[str | None]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="user")
    tier: Mapped[str] = mapped_column(server_default="free")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    token_version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
