"""Who is looking at the page, and what they are told where the API does not do as they wish."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import streamlit as st

from ui.client import Api, ApiError, connect, unreadable
from ui.parts.understanding import understanding
from ui.parts.wording import span
from ui.settings import api_url

COOKIE = "docent_session"
LEFT = "left"
"""Where a session of the pages remembers that its sign-in was ended here. It has no way back: who signs in gets a new one."""
ENDED = "Your sign-in has ended. Sign in again. If that does not work, ask whoever runs this server: the account may be disabled."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door: signed in (``me``), a stranger, or not known, for the API failed (``error``).

    ``said`` is what a stranger should know first, such as that the sign-in has ended.
    """

    me: dict[str, Any] | None = None
    said: str = ""
    error: ApiError | None = None


@st.cache_resource(show_spinner=False)
def http(url: str) -> httpx2.Client:
    """Return one pool of connections for everybody; who asks is said with each request."""
    return connect(url)


def token() -> str | None:
    """Return what the browser keeps of whoever is signed in."""
    return st.context.cookies.get(COOKIE) or None


def api() -> Api:
    """Return the API in the name of whoever is signed in."""
    return Api(http(api_url()), token() or "")


def visitor() -> Visitor:
    """Find out who is looking."""
    if LEFT in st.session_state:
        return Visitor(said=st.session_state[LEFT])
    if token() is None:
        return Visitor()
    try:
        me = api().get("/auth/me")
    except ApiError as error:
        return Visitor(said=ENDED) if error.status == 401 else Visitor(error=error)
    if not isinstance(me, dict) or not isinstance(me.get("username"), str):
        return Visitor(error=unreadable())
    return Visitor(me=me)


def leave(sentence: str) -> None:
    """Forget everything of whoever was signed in. From the next run on, the page shows the way in, and this sentence."""
    st.session_state.clear()
    st.session_state[LEFT] = sentence
    st.query_params.clear()


def failed(error: ApiError) -> None:
    """Say in words what did not work."""
    if error.status == 401:
        st.error("Your sign-in has ended. Reload the page to sign in again.", icon=":material/error:")
        return
    wait = f" Try again in {span(error.retry_after)}." if error.retry_after else ""
    st.error(error.message + wait, icon=":material/error:")


def attempt(show: Callable[[], None]) -> None:
    """Show a part of a page. Where the API fails, or answers what cannot be understood, say so in its place."""
    try:
        with understanding():
            show()
    except ApiError as error:
        failed(error)
