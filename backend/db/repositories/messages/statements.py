"""The statements of every turn, built once: to build one anew takes longer than to execute it."""

from typing import Any

from sqlalchemy import BindParameter, bindparam, func, insert, select, update

from backend.core.values.chat import Message
from backend.db.repositories.messages.lives import BEGUN, STORABLE
from backend.db.repositories.rows import OWNER, columns
from backend.models import MessageRow

_SESSION: BindParameter[Any] = bindparam("session")
_TURN = {"owner_id": OWNER, "session_id": _SESSION, "updated_at": BEGUN}
_QUESTION: dict[str, Any] = {
    "id": bindparam("question_id"),
    "role": "user",
    "content": bindparam("question"),
    "status": "complete",
    "model": None,
}
_ANSWER = {
    **{"id": bindparam("answer_id"), "role": "assistant", "content": ""},
    **{"status": "streaming", "model": bindparam("answered_by")},
}

ADD_TURN = insert(MessageRow).values([{**_TURN, **_QUESTION}, {**_TURN, **_ANSWER}])
"""A question and the empty answer to it. Wants ``owner``, ``session``, ``question``, ``answered_by``, and both ids."""

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
