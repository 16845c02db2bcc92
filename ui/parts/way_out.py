"""Signing out."""

from typing import Any

import streamlit as st

from ui.client import ApiError, unreadable
from ui.parts.access import api, failed, leave
from ui.parts.look import plain

REFUSED = "sign_out_refused"


def foot(me: dict[str, Any]) -> None:
    """Show at the foot of the sidebar who is signed in, and the way out."""
    with st.sidebar, st.container(key="foot", gap="small"):
        st.caption(f"Signed in as {plain(str(me.get('full_name') or me['username']))}")
        st.button("Sign out", key="sign-out", icon=":material/logout:", type="tertiary", on_click=_sign_out)
        refused = st.session_state.pop(REFUSED, None)
        if refused is not None:
            failed(refused)


def _sign_out() -> None:
    """End this very sign-in. One that is over already is what was wanted."""
    try:
        present = next((sign_in for sign_in in api().get("/auth/me/sign-ins")["items"] if sign_in["current"]), None)
        if present is not None:
            api().delete(f"/auth/me/sign-ins/{present['id']}")
    except ApiError as error:
        if error.status not in {401, 404}:
            st.session_state[REFUSED] = error
            return
    except (KeyError, TypeError, ValueError):
        st.session_state[REFUSED] = unreadable()
        return
    leave("You are signed out.")
