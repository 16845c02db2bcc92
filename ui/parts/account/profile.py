"""Who one is."""

import re

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api
from ui.parts.account.outcomes import done, tell, wrong
from ui.parts.look import plain

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NO_ADDRESS = "This is no email address. One looks like ada@example.com."
NO_NAME = "This name cannot be stored. Use other characters."


def show() -> None:
    """Show name and address, and change them."""
    me = api().get("/auth/me")
    kind = "administrator" if me["role"] == "admin" else "user"
    st.caption(f"{plain(me['username'])} · {kind} · tier {plain(me['tier'])}")
    with st.form("profile"):
        tell("profile")
        name = st.text_input("Your name", me["full_name"] or "", max_chars=200, autocomplete="name")
        below_name = st.container()
        email = st.text_input("Email", me["email"], max_chars=254, autocomplete="email").strip()
        below_email = st.container()
        if not st.form_submit_button("Save", type="primary"):
            return
        if not ADDRESS.fullmatch(email):
            with below_email:
                wrong(NO_ADDRESS)
            return
        try:
            api().patch("/auth/me", {"full_name": name.strip() or None, "email": email})
        except ApiError as error:
            fields = {"email_taken": (below_email, error.message)}
            if error.code == "request_invalid":
                fields["request_invalid"] = (below_email, NO_ADDRESS) if "email" in error.message else (below_name, NO_NAME)
            if error.code not in fields:
                raise
            place, sentence = fields[error.code]
            with place:
                wrong(sentence)
        else:
            done("profile", "Saved.")
