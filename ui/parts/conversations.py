"""Conversations: the list beside the chat, and what can be done with the one that is open."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.settings import public_url

SHOWN = 50


def open_session() -> str | None:
    """Return the conversation that is open; the address keeps it over a reload."""
    return st.query_params.get("session")


def go_to(session_id: str | None) -> None:
    """Open a conversation, or an empty one."""
    if session_id is None:
        st.query_params.pop("session", None)
    else:
        st.query_params["session"] = session_id


def sidebar() -> None:
    """Show the list, newest first."""
    with st.sidebar:
        if st.button("New chat", icon=":material/add:", width="stretch", type="primary"):
            go_to(None)
            st.rerun()
        wanted = st.text_input("Search conversations", placeholder="Search conversations", label_visibility="collapsed")
        try:
            found = api().get("/chat/sessions", limit=SHOWN, q=wanted or None)["items"]
        except ApiError as error:
            failed(error)
            found = []
        if not found:
            st.caption("Nothing found." if wanted else "Your conversations will be here.")
        for session in found:
            kind = "secondary" if session["id"] == open_session() else "tertiary"
            if st.button(session["title"], key=f"session-{session['id']}", width="stretch", type=kind):  # type: ignore[arg-type] # both are kinds
                go_to(session["id"])
                st.rerun()
        st.divider()
        st.html(f'<a target="_self" href="{public_url()}/sign-out">Sign out</a>')


def settings(session: dict[str, Any]) -> None:
    """Show what can be set of the conversation, and done with it."""
    place = f"/chat/sessions/{session['id']}"
    with st.popover("Conversation", icon=":material/tune:"):
        with st.form(f"settings-{session['id']}", border=False):
            title = st.text_input("Title", session["title"], max_chars=200)
            documents = {document["id"]: document["title"] for document in api().all("/chat/documents", most=200)}
            chosen = [known for known in session["document_ids"] or [] if known in documents]
            only = st.multiselect(
                "Answer from these documents only", list(documents), chosen, format_func=lambda known: documents[known]
            )
            strict = st.toggle("Answer from the documents alone", session["strict"])
            if st.form_submit_button("Save", type="primary"):
                _do(
                    lambda: api().patch(place, {"title": title or session["title"], "document_ids": only or None, "strict": strict})
                )
        for name, format_ in (("Export as Markdown", "md"), ("Export as JSON", "json")):
            st.html(f'<a href="{public_url()}/api/v1{place}/export?format={format_}">{name}</a>')
        if st.button("Delete this conversation", icon=":material/delete:", key=f"delete-{session['id']}"):
            _confirm_deletion(session)


@st.dialog("Delete this conversation?")
def _confirm_deletion(session: dict[str, Any]) -> None:
    st.write(f"“{session['title']}” and its messages will be gone for good.")
    if st.button("Delete", type="primary"):
        go_to(None)
        _do(lambda: api().delete(f"/chat/sessions/{session['id']}"))


def _do(action: Callable[[], object]) -> None:
    try:
        action()
    except ApiError as error:
        failed(error)
    else:
        st.rerun()
