"""Answers: what they say, how far they rest on the documents, and what can be done with them."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts import asking
from ui.parts.access import api, failed
from ui.parts.broken_off import Kept
from ui.parts.copying import copy
from ui.parts.markdown import prose
from ui.parts.remarks import BADGES, ENDED, pending, remarks
from ui.parts.sources import chips

RATINGS = {"down": 0, "up": 1}


def answer(message: dict[str, Any], *, newest: bool) -> None:
    """Show an answer with its sources."""
    kept = asking.kept(message)
    said = message["content"] or (kept.text if kept else "")
    if said:
        st.markdown(prose(said))
    chips(message["id"], message["sources"])
    _end(message, kept, newest=newest, said=bool(said))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if message["answer_status"] in BADGES and (said or message["answer_status"] != "not_searched"):
            sign, words, color = BADGES[message["answer_status"]]
            st.badge(words, icon=f":material/{sign}:", color=color)  # type: ignore[arg-type] # one of the names there
        if message["status"] != "streaming" and said:
            _actions(message, newest=newest, said=said)
    if message["answer_status"] == "still_indexing":
        st.caption(pending(message))
    for sentence in remarks(message):
        st.caption(sentence)


def _end(message: dict[str, Any], kept: Kept | None, *, newest: bool, said: bool) -> None:
    """Say that an answer is not whole, and why."""
    session_id, status = message["session_id"], message["status"]
    if kept is not None:
        failed(kept.error)
    elif status in ENDED:
        st.caption(f":material/info: {ENDED[status] if said or status == 'streaming' else 'Ended before anything was said.'}")
    if not newest or (kept is None and status not in {"incomplete", "streaming"}):
        return
    action = asking.follow if status == "streaming" else asking.again
    st.button("Try again", icon=":material/refresh:", key=f"try-{message['id']}", on_click=action, args=(session_id, message["id"]))


def _actions(message: dict[str, Any], *, newest: bool, said: str) -> None:
    key = message["id"]
    copy(said, f"copy-{key}")
    if newest:
        st.button(
            "Again",
            icon=":material/refresh:",
            key=f"again-{key}",
            type="tertiary",
            help="Give this answer anew",
            on_click=asking.again,
            args=(message["session_id"], key),
        )
    st.feedback("thumbs", key=f"rating-{key}", default=RATINGS.get(message["feedback"]), on_change=_rate, args=(message,))
    if (error := st.session_state.pop(f"unrated-{key}", None)) is not None:
        failed(error)


def _rate(message: dict[str, Any]) -> None:
    """Store what somebody thinks of it; what could not be stored is not shown as if it were."""
    key = message["id"]
    chosen = st.session_state.get(f"rating-{key}")
    rating = None if chosen is None else ("down", "up")[chosen]
    try:
        api().put(f"/chat/sessions/{message['session_id']}/messages/{key}/feedback", {"rating": rating})
    except ApiError as error:
        st.session_state[f"unrated-{key}"] = error
        st.session_state[f"rating-{key}"] = RATINGS.get(message["feedback"])
