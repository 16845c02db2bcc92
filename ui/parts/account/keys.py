"""API keys: what lets programs in."""

import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.account.outcomes import done, tell, wrong
from ui.parts.dialogs import ask_for, asked, close
from ui.parts.look import plain
from ui.parts.wording import moment
from ui.settings import public_url

SCOPES = {
    "chat": "Ask, and manage conversations",
    "documents:read": "Read documents",
    "documents:write": "Upload, change and delete documents",
    "admin": "Administer this server",
}
LIFETIMES = {0: "Never", 30: "In 30 days", 90: "In 90 days", 365: "In a year"}
TIMES = "keys_made"
MADE, REVOKED = "key_made", "key_revoked"


def show() -> None:
    """Make keys, list them, and revoke them."""
    st.write("A key lets a program use the API in your name. Send it as a bearer token.")
    _make()
    tell("keys")
    keys = api().all("/auth/keys")
    if not keys:
        st.caption("No keys yet.")
    for key in keys:
        _row(key)
    if (made := asked(MADE)) is not None:
        _shown_once(made)
    if (revoked := asked(REVOKED)) is not None:
        _confirm_revocation(revoked)


def _make() -> None:
    is_admin = api().get("/auth/me")["role"] == "admin"
    times = st.session_state.setdefault(TIMES, 0)
    with st.form(f"key-{times}"):
        name = st.text_input("Name of a new key", placeholder="laptop", max_chars=100, key=f"name-{times}").strip()
        below_name = st.container()
        offered = [scope for scope in SCOPES if scope != "admin" or is_admin]
        scopes = st.multiselect("What it may do", offered, ["chat"], format_func=SCOPES.__getitem__, key=f"scopes-{times}")
        below_scopes = st.container()
        days = st.selectbox("When it ends", list(LIFETIMES), format_func=LIFETIMES.__getitem__, key=f"days-{times}")
        if not st.form_submit_button("Make the key", type="primary"):
            return
        if not name:
            with below_name:
                wrong("Give it a name, such as that of the program that will use it.")
        if not scopes:
            with below_scopes:
                wrong("Choose what it may do.")
        if not name or not scopes:
            return
        ends = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds") if days else None
        try:
            told = api().post("/auth/keys", {"name": name, "scopes": scopes, "expires_at": ends})
            made = {"key": str(told["key"]), "scopes": list(told["scopes"])}
        except ApiError as error:
            if error.code != "request_invalid":
                raise
            with below_name:
                wrong("This name cannot be stored. Use other characters.")
            return
    st.session_state[TIMES] += 1
    ask_for(MADE, made)
    st.rerun()


@st.dialog("Your new key", width="large", dismissible=False)
def _shown_once(made: dict[str, Any]) -> None:
    st.write("This is the key. It is shown this once: copy it now, and keep it where only you can read it.")
    st.code(made["key"], language=None, wrap_lines=True)
    st.write("Try it in a terminal:")
    st.code(example(public_url(), made["key"], made["scopes"]), language=None, wrap_lines=True)
    if st.button("I have kept it", type="primary"):
        close()
        st.rerun()


def example(url: str, key: str, scopes: list[str]) -> str:
    """Return a line for a shell that uses a key for something that it may do."""
    bearer = f"-H {shlex.quote(f'Authorization: Bearer {key}')}"
    if "chat" in scopes:
        body = shlex.quote('{"query": "What is new?"}')
        return f"curl {shlex.quote(f'{url}/api/v1/chat/query')} {bearer} -H 'Content-Type: application/json' -d {body}"
    if "documents:read" in scopes:
        return f"curl {shlex.quote(f'{url}/api/v1/chat/documents')} {bearer}"
    if "documents:write" in scopes:
        return f"curl {shlex.quote(f'{url}/api/v1/chat/upload')} {bearer} -F file=@notes.pdf"
    return f"curl {shlex.quote(f'{url}/api/v1/users')} {bearer}"


def _row(key: dict[str, Any]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{plain(key['name'])}**")
            st.caption("  \n".join((f"`{key['prefix']}…`", plain(_may(key)), plain(_lasts(key)))))
        if st.button("Revoke", key=f"revoke-{key['id']}", help=f"End the key {plain(key['name'])}"):
            ask_for(REVOKED, key)
            st.rerun()


def _may(key: dict[str, Any]) -> str:
    words = ". ".join(SCOPES.get(scope, scope) for scope in key["scopes"])
    documents = key["document_ids"]
    return words if documents is None else f"{words}. Only {len(documents)} of the documents"


def _lasts(key: dict[str, Any]) -> str:
    ends = key["expires_at"]
    over = ends is not None and datetime.fromisoformat(ends) <= datetime.now(UTC)
    used = f"Last used {moment(key['last_used_at'])}" if key["last_used_at"] else "Never used"
    return f"{used}. " + ("Never ends" if ends is None else f"{'Ended' if over else 'Ends'} {moment(ends)}")


@st.dialog("Revoke this key?", on_dismiss=close)
def _confirm_revocation(key: dict[str, Any]) -> None:
    st.write(f"Programs that use “{plain(key['name'])}” will be refused from now on. This cannot be undone.")
    if st.button("Revoke the key", type="primary"):
        try:
            api().delete(f"/auth/keys/{key['id']}")
        except ApiError as error:
            # Somebody was faster, and it is gone: what was wanted.
            if error.status != 404:
                failed(error)
                return
        close()
        done("keys", "The key is revoked.")
