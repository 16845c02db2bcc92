"""Where one is signed in."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api
from ui.parts.account.outcomes import done, tell
from ui.parts.look import plain
from ui.parts.wording import device, moment


def show() -> None:
    """List the sign-ins, and end them."""
    st.write("Where you are signed in. End what you do not recognise, and change your password then.")
    tell("sign-ins")
    sign_ins = api().get("/auth/me/sign-ins")["items"]
    for sign_in in sign_ins:
        _row(sign_in)
    others = [sign_in for sign_in in sign_ins if not sign_in["current"]]
    if not others:
        st.caption("You are signed in nowhere else.")
    elif len(others) > 1 and st.button("End all others", icon=":material/logout:"):
        for other in others:
            _end(other)
        done("sign-ins", f"{len(others)} sign-ins have ended.")


def _row(sign_in: dict[str, Any]) -> None:
    name = device(sign_in["user_agent"])
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{plain(name)}**")
            st.caption(f"Last used {moment(sign_in['last_used_at'])}, signed in {moment(sign_in['created_at'])}")
        if sign_in["current"]:
            st.badge("This one", icon=":material/check:", color="blue")
        elif st.button("End", key=f"end-{sign_in['id']}", help=f"End the sign-in of {plain(name)}"):
            _end(sign_in)
            done("sign-ins", "The sign-in has ended.")


def _end(sign_in: dict[str, Any]) -> None:
    try:
        api().delete(f"/auth/me/sign-ins/{sign_in['id']}")
    except ApiError as error:
        # It has ended meanwhile: what was wanted.
        if error.status != 404:
            raise
