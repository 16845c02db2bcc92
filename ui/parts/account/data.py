"""Everything of one's own: taken along, or deleted."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed, leave
from ui.parts.account.outcomes import wrong
from ui.parts.dialogs import ask_for, asked, close
from ui.parts.look import plain
from ui.parts.wording import size
from ui.settings import public_url

EXPORT = "/auth/me/export"
DELETION = "account_deleted"
FILENAME = "docent-export.zip"
BY_HAND_FROM_BYTES = 100_000_000
"""What is larger goes straight from the API to the browser: the pages would hold it in memory."""


def show() -> None:
    """Offer both."""
    st.subheader("Your data", anchor=False)
    st.write("Take everything along as one zip file: documents, conversations, keys, usage and events.")
    if st.button("Prepare the export", icon=":material/archive:"):
        _export()
    st.subheader("Deleting the account", anchor=False)
    st.write("Everything of yours goes with it, and does not come back.")
    if st.button("Delete this account", icon=":material/delete_forever:"):
        ask_for(DELETION, api().get("/auth/me"))
        st.rerun()
    if (me := asked(DELETION)) is not None:
        _confirm_deletion(me)


def _export() -> None:
    try:
        limits = {limit["name"]: limit["used"] for limit in api().get("/auth/me/usage")["limits"]}
        if limits["stored_bytes"] > BY_HAND_FROM_BYTES:
            st.link_button("Download the export", f"{public_url()}/api/v1{EXPORT}", icon=":material/download:", type="primary")
            st.caption("It is large, and is put together while it downloads.")
            return
        with st.spinner("Collecting everything"):
            data = api().download(EXPORT)
    except ApiError as error:
        failed(error)
        return
    st.download_button(
        f"Save {FILENAME} ({size(len(data))})",
        data,
        FILENAME,
        "application/zip",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )


@st.dialog("Delete this account?", on_dismiss=close)
def _confirm_deletion(me: dict[str, Any]) -> None:
    st.write("Your documents, conversations and keys will be gone: out of sight at once, and from disk within about an hour.")
    with st.form("deletion", border=False):
        name = st.text_input(f"Type your username: {plain(me['username'])}", autocomplete="off")
        below_name = st.container()
        password = st.text_input("Your password", type="password", autocomplete="current-password", max_chars=256)
        below_password = st.container()
        if not st.form_submit_button("Delete everything", type="primary"):
            return
        if name.strip() != me["username"]:
            with below_name:
                wrong("This is not your username.")
        if not password:
            with below_password:
                wrong("Enter your password.")
        if name.strip() != me["username"] or not password:
            return
        try:
            api().delete("/auth/me", {"password": password})
        except ApiError as error:
            if error.code == "password_wrong":
                with below_password:
                    wrong(error.message)
            else:
                failed(error)
            return
    leave("Your account is deleted.")
    st.rerun()
