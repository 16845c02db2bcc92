"""Copies of messages, with ids of their own."""

from sqlalchemy import TextClause, text

from backend.models import Base, MessageRow, MessageSourceRow


def copying(table: type[Base], key: str, **instead: str) -> TextClause:
    """Return the statement that copies rows of an owner under other ids; ``instead`` of their own, columns get these values."""
    columns_of_it = [column.name for column in table.__table__.columns]
    values = {name: instead.get(name, f"m.{name}") for name in columns_of_it} | {key: "u.new"}
    return text(
        f"insert into {table.__tablename__} ({', '.join(values)}) select {', '.join(values.values())} from {table.__tablename__} m"  # noqa: S608 - ours
        f" join unnest(cast(:old as uuid[]), cast(:new as uuid[])) as u (old, new) on u.old = m.{key} where m.owner_id = :owner_id"
    )


COPY_MESSAGES = copying(
    MessageRow, "id", session_id="cast(:into as uuid)", superseded="false", feedback="null", feedback_comment="null"
)
COPY_SOURCES = copying(MessageSourceRow, "message_id")
