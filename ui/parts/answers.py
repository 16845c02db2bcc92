"""Answers: what they say, how far they rest on the documents, and what can be done with them."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.look import prose
from ui.parts.sources import chips

GROUNDED = {
    "grounded": (":material/verified: From your documents", "green"),
    "not_in_documents": (":material/help: Not in your documents", "orange"),
    "no_documents": (":material/folder_off: No documents to search", "gray"),
    "still_indexing": (":material/hourglass: Documents are still being read", "orange"),
    "not_searched": (":material/chat: Not searched", "gray"),
}
ENDED = {
    "stopped": "Stopped. What was said until then is kept.",
    "incomplete": "This answer is not complete.",
    "streaming": "This answer is still being given. Reload the page to see how far it is.",
}


def answer(message: dict[str, Any], *, newest: bool) -> None:
    """Show an answer with its sources."""
    st.markdown(prose(message["content"]) or "*Nothing was said.*")
    if message["status"] in ENDED:
        st.caption(f":material/info: {ENDED[message['status']]}")
    chips(message["id"], message["sources"])
    with st.container(horizontal=True, vertical_alignment="center"):
        if message["answer_status"] in GROUNDED:
            words, color = GROUNDED[message["answer_status"]]
            st.badge(words, color=color)  # type: ignore[arg-type] # one of the names above
        _actions(message, newest=newest)
    for sentence in remarks(message):
        st.caption(sentence)


def remarks(message: dict[str, Any]) -> list[str]:
    """Return what a reader should know about how an answer came about."""
    said = []
    context = (message.get("usage") or {}).get("context") or {}
    left_out = [
        f"{number} {what}{'s' if number > 1 else ''}"
        for number, what in ((context.get("dropped_messages", 0), "earlier message"), (context.get("dropped_chunks", 0), "passage"))
        if number
    ]
    if left_out:
        said.append(f"Left out, for it did not fit the model's window: {' and '.join(left_out)}.")
    if message.get("searched_for"):
        said.append(f"Searched for: {message['searched_for']}")
    names = {"dense": "by meaning", "lexical": "by words"}
    if message.get("degraded"):
        said.append(f"The search {' and '.join(names.get(leg, leg) for leg in message['degraded'])} was down.")
    return said


def _actions(message: dict[str, Any], *, newest: bool) -> None:
    key = message["id"]
    place = f"/chat/sessions/{message['session_id']}/messages/{message['id']}"
    if message["status"] == "streaming":
        return
    with st.popover("Copy", icon=":material/content_copy:", type="tertiary"):
        st.code(message["content"], language=None, wrap_lines=True)
    if newest and st.button("Again", icon=":material/refresh:", key=f"again-{key}", type="tertiary", help="Give this answer anew"):
        st.session_state.again = message["id"]
        st.rerun()
    ratings = {"down": 0, "up": 1}
    chosen = st.feedback("thumbs", key=f"rating-{key}", default=ratings.get(message["feedback"] or ""))
    if chosen != ratings.get(message["feedback"] or ""):
        rating = None if chosen is None else ("down", "up")[chosen]
        try:
            api().put(f"{place}/feedback", {"rating": rating})
        except ApiError as error:
            failed(error)
