"""Which question is open: a dialog stays until it is answered or dismissed, whatever else runs the page again."""

from typing import Any

import streamlit as st

_ASKED = "asked"
_PAGE = "page"


def ask(question: str, about: dict[str, Any]) -> None:
    """Open a question about something. There is one at a time."""
    st.session_state[_ASKED] = (question, about)


def asked(question: str) -> dict[str, Any] | None:
    """Return what a question is about, if it is open."""
    name, about = st.session_state.get(_ASKED, ("", None))
    return about if name == question else None


def answered() -> None:
    """Close the question, and forget what it was about."""
    st.session_state.pop(_ASKED, None)


def on_page(path: str) -> None:
    """Close the question of a page that was left."""
    if st.session_state.get(_PAGE) != path:
        answered()
        st.session_state[_PAGE] = path
