"""The statements of every turn, built once: to build one anew takes longer than to execute it."""

from dataclasses import fields
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, insert, select, text, update

from backend.core.values.chat import Message, Source
from backend.db.repositories.messages.lives import STORABLE
from backend.db.repositories.rows import OWNER, columns
from backend.models import MessageRow, MessageSourceRow

_SESSION: BindParameter[Any] = bindparam("session")

# As text, for SQLAlchemy compiles several rows of values anew each time.
ADD_TURN = text(
    "insert into messages (owner_id, session_id, updated_at, id, role, content, status, model) values"
    " (:owner, :session, clock_timestamp(), :question_id, 'user', :question, 'complete', null),"
    " (:owner, :session, clock_timestamp(), :answer_id, 'assistant', '', 'streaming', :answered_by)"
)
"""A question and the empty answer to it, both begun now (see ``BEGUN``). Wants ``owner``, ``session``, ``question``, both ids and
``answered_by``."""

ENDED = (
    "content",
    "status",
    "answer_status",
    "finish_reason",
    "error_code",
    "model",
    "usage",
    "timings",
    "degraded",
    "pending_document_ids",
    "searched_for",
    "invented_markers",
)
"""What is known of an answer once it has ended."""

FINISH = (
    update(MessageRow)
    .where(MessageRow.owner_id == OWNER, MessageRow.id == bindparam("message"), STORABLE)
    .values({name: bindparam(f"ended_{name}") for name in ENDED} | {"updated_at": func.now()})
)
"""How an answer ended. Wants ``owner``, ``message``, and ``ended_`` with each name of ``ENDED``."""

ADD_SOURCES = insert(MessageSourceRow).values(
    {"owner_id": OWNER, "message_id": bindparam("message")}
    | {each.name: bindparam(f"source_{each.name}") for each in fields(Source)}
)
"""The sources of an answer, a set of parameters each. Wants ``owner``, ``message``, and ``source_`` with the name of each field."""

HISTORY = (
    select(*columns(MessageRow, Message))
    .where(
        MessageRow.owner_id == OWNER,
        MessageRow.session_id == _SESSION,
        MessageRow.content != "",
        MessageRow.superseded.is_(False),
    )
    .order_by(MessageRow.id.desc())
    .limit(bindparam("most"))
)
"""The newest messages that say something. Wants ``owner``, ``session``, ``most``."""
