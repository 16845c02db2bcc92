"""What can be done with a conversation: rename, export and delete it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts import dialogs
from ui.parts.access import api, failed
from ui.parts.conversations.address import go_to, open_session
from ui.parts.conversations.conversation import Conversation
from ui.parts.look import plain

RENAME, EXPORT, DELETE = "Rename", "Export", "Delete"
ICONS = {RENAME: ":material/edit:", EXPORT: ":material/download:", DELETE: ":material/delete:"}
FORMATS = {"md": ("Markdown, to read", "text/markdown"), "json": ("JSON, with everything", "application/json")}


STYLE = """
<style>
[class*="st-key-conversation-menu"] button{padding:.25rem .5rem;min-height:2.25rem}
[class*="st-key-conversation-menu"] button [data-testid="stMarkdownContainer"]{
position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
[class*="st-key-conversation-menu"] button [aria-hidden="true"]:not([data-testid]){display:none}
</style>
"""
"""The menu's name is for those who listen; the others see three dots."""


def actions(conversation: Conversation, *, place: str) -> None:
    """Show the menu of a conversation."""
    key = f"conversation-menu-{place}-{conversation.id}"
    st.menu_button(
        f"What to do with {plain(' '.join(conversation.title.split()))}",
        list(ICONS),
        key=key,
        icon=":material/more_horiz:",
        type="tertiary",
        format_func=lambda name: f"{ICONS[name]} {name}",
        on_click=_chosen,
        args=(key, {"id": conversation.id, "title": conversation.title}),
    )


def _chosen(key: str, about: dict[str, Any]) -> None:
    chosen = st.session_state.get(key)
    if chosen in ICONS:
        dialogs.ask_for(chosen, about)


def show_dialogs() -> None:
    """Show the dialog that was asked for, if it is one of these."""
    for name, show in ((RENAME, _rename), (EXPORT, _export), (DELETE, _delete)):
        about = dialogs.asked(name)
        if about is not None:
            show(about)


@dialogs.dialog("Rename this conversation")
def _rename(about: dict[str, Any]) -> None:
    with st.form(f"rename-{about['id']}", border=False):
        title = st.text_input("Title", about["title"], max_chars=200, key=f"title-{about['id']}")
        if not st.form_submit_button("Rename", type="primary"):
            return
    if not title.strip():
        st.error("A conversation needs a title.", icon=":material/error:")
        return
    _do(lambda: api().patch(_path(about), {"title": title.strip()}), "Renamed.")


@dialogs.dialog("Delete this conversation?")
def _delete(about: dict[str, Any]) -> None:
    st.markdown(f"“{plain(about['title'])}” and its messages will be gone for good.")
    with st.container(horizontal=True):
        sure = st.button("Delete", type="primary", key="delete-conversation", icon=ICONS[DELETE])
        if st.button("Cancel", key="keep-conversation"):
            dialogs.close()
            st.rerun()
    if sure:
        _do(lambda: _remove(about), "Deleted.")


@dialogs.dialog("Export this conversation")
def _export(about: dict[str, Any]) -> None:
    st.markdown(f"“{plain(about['title'])}” with its questions, answers and sources.")
    client, path = api(), f"{_path(about)}/export"
    with st.container(horizontal=True):
        for format_, (words, kind) in FORMATS.items():
            st.download_button(
                words,
                # Fetched when it is clicked, in a thread that knows no visitor: the client is made here.
                partial(client.download, path, format=format_),
                file_name=f"{_filename(about['title'])}.{format_}",
                mime=kind,
                icon=ICONS[EXPORT],
                key=f"export-{format_}",
                on_click="ignore",
            )


def _remove(about: dict[str, Any]) -> None:
    try:
        api().delete(_path(about))
    except ApiError as error:
        # Somebody was faster, in another tab.
        if error.status != 404:
            raise
    if open_session() == about["id"]:
        go_to(None)


def _do(action: Callable[[], object], done: str) -> None:
    try:
        action()
    except ApiError as error:
        failed(error)
    else:
        dialogs.close()
        st.toast(done, icon=":material/check:")
        st.rerun()


def _path(about: dict[str, Any]) -> str:
    return f"/chat/sessions/{about['id']}"


def _filename(title: str) -> str:
    words = "".join(sign if sign.isalnum() or sign in " -_.," else " " for sign in title).split()
    return " ".join(words)[:80].strip(" .") or "conversation"
