"""How each operation is called: what the description cannot say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.product import PASSWORD

QUESTION = "What does the keeper of the lighthouse hide behind the seventh stair?"
NEW_PASSWORD = "a new horse battery"
REPLACEMENT = b"Nothing to hide here either."


@dataclass(frozen=True, slots=True)
class Row:
    """A call without its ids.

    ``kinds`` says what each place for an id names. ``bodies`` are variants of a valid body. ``refused`` is the answer to an id that
    is not the caller's, by place where they differ. ``account`` operations want a person who signed in. ``turn`` orders the calls
    that an owner makes: what ends things comes late, and ``own`` is the answer to them. ``ends`` means that the caller's account is
    not the same afterwards. ``file`` is the content of an upload. ``path`` has the words of an address that are no ids.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    bodies: Sequence[Mapping[str, Any]] = ({},)
    refused: int | Mapping[str, int] = 404
    account: bool = False
    admin: bool = False
    ends: bool = False
    shape: str = "json"
    file: bytes = b"Nothing to hide here."
    turn: int = 0
    own: tuple[int, ...] = (200, 201, 202, 204)
    path: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, position: str) -> int:
        """Return the status for a foreign id at a position."""
        return self.refused if isinstance(self.refused, int) else self.refused[position]

    @property
    def adds(self) -> bool:
        """Whether it makes a document, which a key that reaches some documents only may not."""
        return self.shape == "file" and "path.document_id" not in self.kinds


def a_list(kind: str, **more: Any) -> Row:
    return Row({"query.cursor": f"cursor:{kind}"}, refused=200, **more)


DOCUMENT = {"path.document_id": "document"}
SESSION = {"path.session_id": "session"}
TASK = {"path.task_id": "task"}
MESSAGE = {**SESSION, "path.message_id": "answer"}
USER = {"path.user_id": "user"}
COMPLETION = {"model": "docent", "messages": [{"role": "user", "content": QUESTION}]}
NEWCOMER = {"username": "newcomer", "email": "newcomer@example.com", "password": PASSWORD}

ROWS: dict[str, Row] = {
    **dict.fromkeys(("welcome", "read_health", "read_readiness", "list_services"), Row()),
    "register": Row(bodies=({**NEWCOMER, "username": "{new}", "email": "{new}@example.com"},)),
    "issue_token": Row(bodies=({"username": "{me}", "password": PASSWORD},), shape="form"),
    "log_in": Row(bodies=({"username": "{me}", "password": PASSWORD},)),
    "refresh_token": Row({"body.refresh_token": "refresh"}, refused=401),
    "log_out": Row({"body.refresh_token": "other refresh"}, refused=204),
    "reset_password": Row({"body.token": "reset"}, bodies=({"new_password": NEW_PASSWORD},), refused=403, turn=3),
    "read_me": Row(account=True),
    "update_me": Row(bodies=({"full_name": "Somebody"},), account=True),
    "delete_me": Row(bodies=({"password": PASSWORD},), account=True, ends=True),
    "change_password": Row(bodies=({"present_password": PASSWORD, "new_password": NEW_PASSWORD},), account=True, ends=True),
    "list_sign_ins": Row(account=True),
    "revoke_sign_in": Row({"path.sign_in_id": "sign-in"}, account=True, turn=2),
    **dict.fromkeys(("read_usage", "list_usage"), Row(account=True)),
    "export_me": Row(account=True),
    "list_keys": a_list("key", account=True),
    "create_key": Row({"body.document_ids[]": "document"}, bodies=({"name": "script", "scopes": ["chat"]},), account=True),
    "revoke_key": Row({"path.key_id": "key"}, account=True, turn=2),
    "list_users": Row({"query.cursor": "cursor:user"}, refused=403, admin=True),
    "create_user": Row(bodies=({**NEWCOMER, "role": "admin"},), refused=403, admin=True),
    "read_user": Row(USER, refused=403, admin=True),
    "update_user": Row(USER, bodies=({"tier": "pro"}, {}), refused=403, admin=True),
    "delete_user": Row(USER, refused=403, admin=True, turn=5),
    "create_reset_link": Row(USER, refused=403, admin=True, turn=4),
    **dict.fromkeys(("read_reindex", "list_total_usage"), Row(admin=True)),
    "list_tiers": Row(admin=True),
    "update_tier": Row(admin=True, path={"tier": "enterprise"}),
    "list_models": Row(),
    "start_reindex": Row(admin=True, bodies=({"embedder": "hashing"},)),
    "drop_old_vectors": Row(admin=True),
    "read_queue": Row(admin=True),
    "list_failures": Row({"query.cursor": "cursor:document"}, refused=403, admin=True),
    "list_audit_events": Row({"query.cursor": "cursor:user", "query.user_id": "user"}, refused=403, admin=True),
    "query": Row(
        {"header.Idempotency-Key": "question's key", "body.session_id": "session", "body.document_ids[]": "document"},
        bodies=({"query": QUESTION}, {"query": QUESTION, "stream": True}),
        refused={"header.Idempotency-Key": 200, "body.session_id": 404, "body.document_ids[]": 404},
    ),
    # Nothing writes here: documents are only quoted.
    "generate": Row(bodies=({"prompt": QUESTION}, {"prompt": QUESTION, "stream": True}), own=(503,)),
    "assist_with_sql": Row(bodies=({"question": QUESTION}, {"task": "explain", "sql": "SELECT 1"}), own=(503,)),
    "complete_code": Row(bodies=({"prefix": "def hide():"}, {"prefix": "def hide():", "stream": True}), own=(503,)),
    "list_served_models": Row(),
    "read_served_model": Row(path={"model": "docent"}),
    "create_embeddings": Row(bodies=({"model": "docent", "input": QUESTION},)),
    "create_chat_completion": Row({"body.document_ids[]": "document"}, bodies=(COMPLETION, {**COMPLETION, "stream": True})),
    "ask_in_background": Row(
        {"header.Idempotency-Key": "task's key", "body.session_id": "session", "body.document_ids[]": "document"},
        bodies=({"query": QUESTION},),
        refused={"header.Idempotency-Key": 202, "body.session_id": 404, "body.document_ids[]": 404},
        # Each of her own calls in this conversation keeps it busy for the next one.
        own=(202, 409),
    ),
    "list_tasks": a_list("task"),
    "read_task": Row(TASK),
    "cancel_task": Row(TASK, turn=1),
    "list_suggestions": Row({"query.document_ids[]": "document", "query.session_id": "session"}),
    "search": Row({"body.document_ids[]": "document"}, bodies=({"query": QUESTION},)),
    "upload_document": Row({"header.Idempotency-Key": "upload's key"}, refused=202, shape="file"),
    "list_documents": a_list("document"),
    **dict.fromkeys(("read_document", "read_document_text", "download_document"), Row(DOCUMENT)),
    "watch_document": Row(DOCUMENT),
    "replace_document": Row(
        {"path.document_id": "other document", "header.Idempotency-Key": "replacement's key"},
        refused={"path.document_id": 404, "header.Idempotency-Key": 202},
        shape="file",
        file=REPLACEMENT,
    ),
    # Hers is ready: that is what only she is told.
    **dict.fromkeys(("retry_document", "cancel_document"), Row(DOCUMENT, own=(409,))),
    "update_document": Row(DOCUMENT, bodies=({"title": "Mine now"},)),
    "delete_document": Row(DOCUMENT, turn=2),
    "list_sessions": a_list("session"),
    "create_session": Row({"body.document_ids[]": "document"}, bodies=({"title": "Mine"},)),
    "read_session": Row(SESSION),
    "update_session": Row({**SESSION, "body.document_ids[]": "document"}, bodies=({"title": "Mine now"}, {})),
    "export_session": Row(SESSION),
    "delete_session": Row(SESSION, turn=1),
    "follow_answer": Row({**SESSION, "path.message_id": "answer"}),
    "stop_answer": Row({**SESSION, "path.message_id": "answer"}),
    # Hers was given anew with her key: that it cannot be once more is what only she is told.
    "regenerate_answer": Row(
        {**MESSAGE, "header.Idempotency-Key": "regeneration's key"},
        bodies=({"stream": False}, {"stream": True}),
        refused={"path.session_id": 404, "path.message_id": 404, "header.Idempotency-Key": 200},
        own=(200, 409),
    ),
    "branch_session": Row(MESSAGE),
    "rate_answer": Row(MESSAGE, bodies=({"rating": "up", "comment": "Mine"},)),
    "list_messages": Row({**SESSION, "query.cursor": "cursor:message"}, refused={"path.session_id": 404, "query.cursor": 200}),
}
