"""Questions as they were asked, and asked in other words."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts import asking, conversations
from ui.parts.access import api, failed
from ui.parts.look import plain


def question(message: dict[str, Any]) -> None:
    """Show a question, which can be edited."""
    if st.session_state.get("editing") == message["id"]:
        _form(message)
        return
    with st.container(horizontal=True, vertical_alignment="top"):
        st.markdown(plain(message["content"]), width="stretch")
        st.button(
            "Edit",
            icon=":material/edit:",
            key=f"edit-{message['id']}",
            type="tertiary",
            help="Ask this in other words, in a new conversation that begins like this one",
            on_click=_edit,
            args=(message["id"],),
        )


def _form(message: dict[str, Any]) -> None:
    with st.form("editing-form", border=False):
        st.text_area("Your question in other words", message["content"], key="edited")
        st.caption("The answer begins a new conversation, with what was said before this question. This one stays as it is.")
        if (error := st.session_state.pop("unedited", None)) is not None:
            failed(error)
        with st.container(horizontal=True):
            st.form_submit_button("Ask", type="primary", on_click=_ask, args=(message,))
            st.form_submit_button("Cancel", type="tertiary", on_click=_edit, args=(None,))


def _edit(message_id: str | None) -> None:
    st.session_state.editing = message_id


def _ask(message: dict[str, Any]) -> None:
    text = str(st.session_state.get("edited") or "").strip()
    if not text:
        return
    try:
        branch = api().post(f"/chat/sessions/{message['session_id']}/messages/{message['id']}/branch")
        session_id = str(branch["id"])
    except ApiError as error:
        st.session_state.unedited = error
        return
    _edit(None)
    conversations.go_to(session_id)
    asking.ask(text)
