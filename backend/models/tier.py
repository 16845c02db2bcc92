"""Tiers: what an account may use, as data."""

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class TierRow(Base):
    """The limits of one tier, and which models it may name; all where that is null. It has no owner."""

    __tablename__ = "tiers"

    name: Mapped[str] = mapped_column(primary_key=True)
    requests_per_minute: Mapped[int]
    concurrent_streams: Mapped[int]
    documents: Mapped[int]
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    tokens_per_day: Mapped[int] = mapped_column(BigInteger)
    models: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
