"""Which dialog is open: the visit knows it, so that it outlives what makes the page run again, such as the end of an answer."""

from collections.abc import Callable
from typing import Any, Literal, ParamSpec

import streamlit as st

OPEN = "open_dialog"
PAGE = "page_of_dialog"
P = ParamSpec("P")


def ask_for(name: str, about: dict[str, Any]) -> None:
    """Have a dialog opened, in place of any other: Streamlit shows one at a time."""
    st.session_state[OPEN] = (name, about)


def close() -> None:
    """Let the next run of the page show none."""
    st.session_state.pop(OPEN, None)


def asked(name: str) -> dict[str, Any] | None:
    """Return what this dialog is about, if it is the one that is open."""
    opened, about = st.session_state.get(OPEN, (None, None))
    return about if opened == name else None


def on_page(path: str) -> None:
    """Close the dialog of a page that was left."""
    if st.session_state.get(PAGE) != path:
        close()
        st.session_state[PAGE] = path


def dialog(title: str, *, width: Literal["small", "medium", "large"] = "small") -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function the content of a dialog. Whoever dismisses it closes it."""
    return st.dialog(title, width=width, on_dismiss=close)
