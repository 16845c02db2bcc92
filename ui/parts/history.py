"""The messages of a conversation: the newest of them, and the earlier ones when they are asked for."""

from typing import Any

import streamlit as st

from ui.parts.access import api

SHOWN = 30
"""So many are shown at first, and so many more each time."""
PART = 100

_SOURCE = {"marker": 0, "title": "", "quote": "", "page": None, "heading": None, "start": 0, "end": 0, "version": 1, "cited": False}
_MESSAGE = {
    "status": "complete",
    "answer_status": None,
    "error_code": None,
    "model": None,
    "searched_for": None,
    "feedback": None,
    "superseded": False,
}


def messages(session_id: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the newest messages, oldest first, and whether there are earlier ones.

    The API lists the oldest first. So the places where its parts begin are kept, and only the last parts are asked for again.

    Raises:
        ApiError: They cannot be read.
    """
    wanted = _wanted(session_id)
    begins: list[str | None] = st.session_state.setdefault("parts", {}).setdefault(session_id, [None])
    # The last part may hold a single message, and a part in the middle any less than all.
    at = max(len(begins) - 1 - -(-wanted // PART), 0)
    first = at
    found: list[Any] = []
    while True:
        items, following = api().part(f"/chat/sessions/{session_id}/messages", limit=PART, cursor=begins[at])
        found += items
        if following is None:
            del begins[at + 1 :]
            break
        at += 1
        begins[at:] = [following, *begins[at + 1 :]]
    read = [message for raw in found if (message := _message(raw, session_id)) is not None]
    return read[-wanted:], first > 0 or len(read) > wanted


def earlier(session_id: str) -> None:
    """Show more of them from now on."""
    st.session_state.setdefault("wanted", {})[session_id] = _wanted(session_id) + SHOWN


def sources(raw: object) -> list[dict[str, Any]]:
    """Return sources as they can be shown: what has no document is left out."""
    listed = raw if isinstance(raw, list) else []
    return [{**_SOURCE, **source} for source in listed if isinstance(source, dict) and isinstance(source.get("document_id"), str)]


def _wanted(session_id: str) -> int:
    return int(st.session_state.get("wanted", {}).get(session_id, SHOWN))


def _message(raw: object, session_id: str) -> dict[str, Any] | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or raw.get("role") not in {"user", "assistant"}:
        return None
    lists = {name: raw[name] if isinstance(raw.get(name), list) else [] for name in ("degraded", "pending_document_ids")}
    objects = {name: raw[name] if isinstance(raw.get(name), dict) else {} for name in ("usage", "timings")}
    kept = {"content": str(raw.get("content") or ""), "session_id": session_id, "sources": sources(raw.get("sources"))}
    return {**_MESSAGE, **raw, **lists, **objects, **kept}
