"""One's own account: who one is, what may get in, and what was used."""

from datetime import datetime
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.look import plain
from ui.settings import public_url

LIMITS = {
    "requests_per_minute": "Requests in this minute",
    "concurrent_streams": "Answers running now",
    "documents": "Documents",
    "stored_bytes": "Bytes stored",
    "tokens_per_day": "Tokens today",
}
SCOPES = {
    "chat": "Ask, and manage conversations",
    "documents:read": "Read documents",
    "documents:write": "Upload, change and delete documents",
}


def main() -> None:
    """Show the parts of the page."""
    st.title("Account")
    profile, keys, sign_ins, usage = st.tabs(["Profile", "API keys", "Sign-ins", "Usage"])
    for tab, show in ((profile, _profile), (keys, _keys), (sign_ins, _sign_ins), (usage, _usage)):
        with tab:
            try:
                show()
            except ApiError as error:
                failed(error)


def _profile() -> None:
    me = api().get("/auth/me")
    st.caption(f"{plain(me['username'])} · {me['role']} · tier {me['tier']}")
    with st.form("profile"):
        name = st.text_input("Your name", me["full_name"] or "", max_chars=200)
        email = st.text_input("Email", me["email"], max_chars=254)
        if st.form_submit_button("Save", type="primary"):
            api().patch("/auth/me", {"full_name": name or None, "email": email})
            st.success("Saved.")
    with st.form("password", clear_on_submit=True):
        st.subheader("Password", anchor=False)
        present = st.text_input("Present password", type="password", autocomplete="current-password")
        new = st.text_input("New password", type="password", autocomplete="new-password", help="At least 8 characters.")
        if st.form_submit_button("Change the password"):
            api().post("/auth/me/password", {"present_password": present, "new_password": new})
            st.success("Changed. Every other sign-in and every API key has ended.")
    st.subheader("Your data", anchor=False)
    st.html(f'<a href="{public_url()}/api/v1/auth/me/export">Export everything as a zip file</a>')
    if st.button("Delete this account", icon=":material/delete_forever:"):
        _confirm_deletion()


@st.dialog("Delete this account?")
def _confirm_deletion() -> None:
    st.write("Your documents, conversations and keys will be gone: out of sight at once, and from disk within about an hour.")
    password = st.text_input("Your password", type="password", autocomplete="current-password")
    if st.button("Delete everything", type="primary", disabled=not password):
        try:
            api().delete("/auth/me", {"password": password})
        except ApiError as error:
            failed(error)
        else:
            st.rerun()


def _keys() -> None:
    made = st.session_state.pop("made_key", None)
    if made is not None:
        st.success("This is the key. It is shown this once: keep it now.")
        st.code(made, language=None)
        body = '\'{"query": "What is new?"}\''
        request = (
            f"curl {public_url()}/api/v1/chat/query -H 'Authorization: Bearer {made}' -H 'Content-Type: application/json' -d {body}"
        )
        st.code(request, language="sh", wrap_lines=True)
    with st.form("key", clear_on_submit=True):
        name = st.text_input("Name of a new key", placeholder="laptop", max_chars=100)
        scopes = st.multiselect("What it may do", list(SCOPES), ["chat"], format_func=SCOPES.__getitem__)
        if st.form_submit_button("Make the key", type="primary"):
            st.session_state.made_key = api().post("/auth/keys", {"name": name, "scopes": scopes})["key"]
            st.rerun()
    for key in api().all("/auth/keys"):
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            used = f"used {_moment(key['last_used_at'])}" if key["last_used_at"] else "never used"
            st.markdown(f"**{plain(key['name'])}** · {', '.join(key['scopes'])} · {used}")
            if st.button("Revoke", key=f"revoke-{key['id']}"):
                api().delete(f"/auth/keys/{key['id']}")
                st.rerun()


def _sign_ins() -> None:
    for sign_in in api().get("/auth/me/sign-ins")["items"]:
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            here = " · this one" if sign_in["current"] else ""
            st.markdown(f"{plain(sign_in['user_agent'] or 'Unknown device')}  \nLast used {_moment(sign_in['last_used_at'])}{here}")
            if not sign_in["current"] and st.button("End", key=f"end-{sign_in['id']}"):
                api().delete(f"/auth/me/sign-ins/{sign_in['id']}")
                st.rerun()


def _usage() -> None:
    usage: dict[str, Any] = api().get("/auth/me/usage")
    st.caption(f"Tier {usage['tier']}" + ("" if usage["enforced"] else ". This server does not enforce limits."))
    for limit in usage["limits"]:
        share = min(limit["used"] / limit["limit"], 1.0) if limit["limit"] else 1.0
        st.progress(share, f"{LIMITS[limit['name']]}: {limit['used']:,} of {limit['limit']:,}")


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC")


main()
