"""What a reader should know about how an answer came about, in words."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api
from ui.parts.look import plain

BADGES = {
    "grounded": ("verified", "From your documents", "green"),
    "not_in_documents": ("help", "Not in your documents", "orange"),
    "no_documents": ("folder_off", "No documents to search", "gray"),
    "still_indexing": ("hourglass", "Documents are still being read", "orange"),
    "not_searched": ("chat", "Documents not searched", "gray"),
}
ENDED = {
    "stopped": "Stopped. What was said until then is kept.",
    "incomplete": "This answer is not complete.",
    "streaming": "This answer is still being given.",
}
LEGS = {"dense": "by meaning", "lexical": "by words"}
EXTRACTIVE = "extractive"
NAMED = 5
"""So many documents are named."""


def remarks(message: dict[str, Any]) -> list[str]:
    """Return sentences, as Markdown."""
    said = []
    context = message["usage"].get("context")
    left_out = _left_out(context if isinstance(context, dict) else {})
    if left_out:
        said.append(f":material/content_cut: Left out, for it did not fit the model's window: {left_out}.")
    if message["searched_for"]:
        said.append(f":material/search: Searched for: {plain(str(message['searched_for']))}")
    if message["degraded"]:
        legs = " and ".join(LEGS.get(str(leg), plain(str(leg))) for leg in message["degraded"])
        said.append(f":material/warning: The search {legs} was down, so something may have been missed.")
    made = _made(message)
    return [*said, made] if made else said


def pending(message: dict[str, Any]) -> str:
    """Return which documents were not ready when it was asked, and whether asking again helps."""
    ids = message["pending_document_ids"]
    named = [_document(str(document_id)) for document_id in ids[:NAMED]]
    titles = [f"“{plain(str(document['title']))}”" for document in named if document]
    more = len(ids) - len(titles)
    if more:
        titles.append(f"{more} {'other ' if titles else ''}document{'' if more == 1 else 's'}")
    if not titles:
        return "Some documents were still being read. Ask again in a moment."
    listed = f"{', '.join(titles[:-1])} and {titles[-1]}" if len(titles) > 1 else titles[0]
    if not more and all(document and document.get("status") == "ready" for document in named):
        return f"{listed}: ready by now. Ask again."
    return f"Still being read when you asked: {listed}. Ask again when they are ready."


def _document(document_id: str) -> dict[str, Any] | None:
    """A document that is ready keeps its title long enough."""
    known: dict[str, dict[str, Any]] = st.session_state.setdefault("pending_documents", {})
    if (known.get(document_id) or {}).get("status") != "ready":
        try:
            told = api().get(f"/chat/documents/{document_id}")
        except ApiError:
            return None
        if not isinstance(told, dict) or "title" not in told:
            return None
        known[document_id] = told
    return known[document_id]


def _left_out(context: dict[str, Any]) -> str:
    parts = []
    for what, name in (("earlier message", "dropped_messages"), ("passage", "dropped_chunks")):
        number = context.get(name)
        if isinstance(number, int) and number:
            parts.append(f"{number} {what}{'' if number == 1 else 's'}")
    return " and ".join(parts)


def _made(message: dict[str, Any]) -> str:
    """Return by whom and how fast, for those who want to know."""
    parts = []
    if message["model"]:
        parts.append("Quoted without a language model" if message["model"] == EXTRACTIVE else plain(str(message["model"])))
    total, first = (message["timings"].get(name) for name in ("total_ms", "first_token_ms"))
    if isinstance(total, (int, float)):
        parts.append(_seconds(total))
    if isinstance(first, (int, float)) and message["model"] != EXTRACTIVE:
        parts.append(f"first word after {_seconds(first)}")
    tokens = message["usage"].get("completion_tokens")
    if isinstance(tokens, int):
        parts.append(f"{tokens} token{'' if tokens == 1 else 's'}")
    return " · ".join(parts)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 100 else f"{milliseconds:.0f} ms"
