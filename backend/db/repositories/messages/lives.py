"""Which answers are being given by a process that says so again and again, and which by none."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Update, and_, func, or_, select, update

from backend.core.values.chat import LONGEST_ANSWER
from backend.core.values.task import LIVE
from backend.models import MessageRow, TaskRow

_OF_TASKS = select(TaskRow.message_id).where(TaskRow.state.in_(LIVE))

BEGUN = func.clock_timestamp()
"""When an answer was last touched, as it is inserted: later than the beginning of the transaction, which is ``created_at``.

So an answer whose process renews it differs from the first moment from one of a release that did not.
"""

STORABLE = or_(MessageRow.status == "streaming", and_(MessageRow.error_code == "answer_cut", MessageRow.usage.is_(None)))
"""An answer that was not stored yet, also one whose process was taken for dead while it lived."""


def renewing(message_ids: Sequence[UUID]) -> Update:
    """Say of answers that their process lives."""
    return (
        update(MessageRow)
        .where(MessageRow.id.in_(message_ids), MessageRow.status == "streaming")
        .values(updated_at=func.clock_timestamp())
    )


def ending(silent_for: timedelta | None) -> Update:
    """Mark answers as incomplete whose process has said nothing for so long, or all that are being streamed."""
    statement = (
        update(MessageRow)
        .where(MessageRow.status == "streaming", MessageRow.id.not_in(_OF_TASKS))
        .values(status="incomplete", error_code="answer_cut", updated_at=func.now())
    )
    return statement if silent_for is None else statement.where(_silent(silent_for))


def _silent(silent_for: timedelta) -> ColumnElement[bool]:
    """While PostgreSQL was away nobody could say anything: it has to be there for as long."""
    since = func.now() - silent_for
    renewed = and_(MessageRow.updated_at > MessageRow.created_at, MessageRow.updated_at < since)
    never = MessageRow.updated_at < func.now() - LONGEST_ANSWER
    return or_(and_(renewed, func.pg_postmaster_start_time() < since), never)
