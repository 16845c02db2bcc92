"""A new password."""

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, leave
from ui.parts.account.outcomes import done, tell, wrong

LEAST, MOST = 8, 256
TIMES = "passwords_set"
CHANGED = "Your password is changed. You are still signed in here; every other sign-in and every API key has ended."


def show() -> None:
    """Ask for the present password and the new one, and say what ends with it."""
    times = st.session_state.setdefault(TIMES, 0)
    st.subheader("Password", anchor=False)
    st.write("Every other sign-in and every API key ends with a new password. Programs need new keys afterwards.")
    # Another name each time: the fields are empty once it is done, and keep what was typed while something is wrong.
    with st.form(f"password-{times}"):
        tell("password")
        present = _field("Present password", "current-password", times)
        below_present = st.container()
        new = _field(f"New password (at least {LEAST} characters)", "new-password", times)
        below_new = st.container()
        again = _field("New password again", "new-password", times)
        below_again = st.container()
        if not st.form_submit_button("Change the password"):
            return
        amiss = [
            (below_present, "Enter your present password.", not present),
            (below_new, f"At least {LEAST} characters.", len(new) < LEAST),
            (below_again, "The two are not the same.", new != again),
        ]
        for place, sentence, is_so in amiss:
            if is_so:
                with place:
                    wrong(sentence)
        if any(is_so for _, _, is_so in amiss):
            return
        try:
            api().post("/auth/me/password", {"present_password": present, "new_password": new})
        except ApiError as error:
            if error.code not in {"password_wrong", "request_invalid"}:
                raise
            with below_present if error.code == "password_wrong" else below_new:
                wrong(error.message if error.code == "password_wrong" else "This password cannot be used. Choose another.")
            return
    _changed()


def _field(label: str, kind: str, times: int) -> str:
    return st.text_input(label, type="password", autocomplete=kind, max_chars=MOST, key=f"{label}-{times}")


def _changed() -> None:
    """Say how it stands with the sign-in: a browser's goes on, an access token does not."""
    st.session_state[TIMES] += 1
    try:
        api().get("/auth/me")
    except ApiError as error:
        if error.status == 401:
            leave("Your password is changed. Sign in with the new one.")
            st.rerun()
    done("password", CHANGED)
