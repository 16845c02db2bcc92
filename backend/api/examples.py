"""Examples in the description of the API, by the name of the schema. A test holds each against its schema."""

from typing import Any, Final

_DOCUMENT_ID = "01990a3c-7b1e-7c4e-9d55-0a6f3f1f7a10"
_SESSION_ID = "01990a3c-8f02-7a51-8a0e-5f2b6c9d0e21"
_MESSAGE_ID = "01990a3c-8f02-7a51-8a0e-5f2b6c9d0e22"

EXAMPLES: Final[dict[str, Any]] = {
    "RegisterIn": {"username": "ada", "email": "ada@example.org", "password": "correct horse battery", "full_name": "Ada Lovelace"},
    "LoginIn": {"username": "ada", "password": "correct horse battery"},
    "TokenOut": {"access_token": "eyJhbGciOi...", "token_type": "bearer", "expires_in": 1800, "refresh_token": "dr_..."},
    "KeyIn": {"name": "nightly report", "scopes": ["chat", "documents:read"]},
    "QueryIn": {"query": "Which number do I call in an emergency?"},
    "SearchIn": {"query": "emergency extension", "limit": 5},
    "SessionIn": {"title": "Safety", "strict": True},
    "RegenerateIn": {"temperature": 0.2},
    "FeedbackIn": {"rating": "up", "comment": "Exactly the page that I needed."},
    "DocumentPatch": {"title": "Observatory handbook"},
    "AnswerOut": {
        "answer": "In an emergency call extension 555 from any house telephone. [1]",
        "session_id": _SESSION_ID,
        "message_id": _MESSAGE_ID,
        "status": "complete",
        "answer_status": "grounded",
        "finish_reason": "stop",
        "model": "llama3.2:1b",
        "sources": [
            {
                "marker": 1,
                "document_id": _DOCUMENT_ID,
                "version": 1,
                "title": "Observatory handbook",
                "page": 5,
                "heading": "Emergencies",
                "start": 6015,
                "end": 6075,
                "quote": "In an emergency call extension 555 from any house telephone.",
                "score": 0.93,
                "cited": True,
            }
        ],
        "invented_markers": 0,
        "usage": {
            "prompt_tokens": 1184,
            "completion_tokens": 21,
            "context": {"window": 8192, "used": 1210, "dropped_messages": 0, "dropped_chunks": 0},
            "rewrite_tokens": 0,
        },
        "timings": {"retrieval_ms": 11.4, "first_token_ms": 240.0, "total_ms": 910.5, "rewrite_ms": None},
        "degraded": [],
        "pending_document_ids": [],
        "pending_documents": [],
        "searched_for": None,
    },
    "Problem": {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such document.",
        "code": "document_not_found",
        "request_id": "4f9c1f0a6d2b4d5e8c7a9b0c1d2e3f40",
    },
}
