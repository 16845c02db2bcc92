"""What one process says to all about answers that are being given: PostgreSQL brings it to them once it is committed."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, select

from backend.models import MessageRow

STOP_CHANNEL = "docent_stop"
"""What the processes listen to for the ids of answers that shall stop."""
FOLLOW_CHANNEL = "docent_follow"
"""What they listen to for the ids of answers that somebody reads in another process."""


def calling(channel: str, owner_id: UUID, *which: ColumnElement[bool]) -> Select[None]:
    """Return the statement that says the ids of those of an owner's answers that are being streamed."""
    return select(func.pg_notify(channel, cast(MessageRow.id, Text))).where(
        MessageRow.owner_id == owner_id, MessageRow.status == "streaming", *which
    )
