"""Who is looking at the page."""

from html import escape
from typing import Any
from urllib.parse import quote

import httpx2
import streamlit as st

from ui.client import Api, ApiError
from ui.settings import api_url, public_url

COOKIE = "docent_session"


@st.cache_resource(show_spinner=False)
def _http(url: str) -> httpx2.Client:
    """One pool of connections for everybody; who asks is said with each request."""
    return httpx2.Client(base_url=url, timeout=30, limits=httpx2.Limits(max_connections=200))


def token() -> str | None:
    """Return what the browser keeps of whoever is signed in."""
    return st.context.cookies.get(COOKIE) or None


def api() -> Api:
    """Return the API in the name of whoever is signed in."""
    return Api(_http(api_url()), token() or "")


def signed_in_api() -> dict[str, Any]:
    """Return the account of whoever is signed in; for anybody else, show the way in and stop."""
    if token() is None:
        _welcome()
    try:
        me: dict[str, Any] = api().get("/auth/me")
    except ApiError as error:
        if error.status == 401:
            _welcome("You were signed out. Sign in again.")
        failed(error)
        if st.button("Try again", icon=":material/refresh:"):
            st.rerun()
        st.stop()
    return me


def _welcome(sentence: str = "Upload documents, ask questions, and read answers with sources that can be checked.") -> None:
    st.title("Docent")
    st.write(sentence)
    then = quote(st.context.url or "", safe="")
    ways = "".join(
        f'<a class="go" target="_self" href="{escape(public_url())}/{path}?next={then}">{words}</a>'
        for path, words in (("sign-in", "Sign in"), ("sign-up", "Open an account"))
    )
    st.html(ways)
    st.stop()


def failed(error: ApiError) -> None:
    """Say in words what did not work."""
    wait = f" Try again in {error.retry_after:.0f} seconds." if error.retry_after else ""
    st.error(error.message + wait, icon=":material/error:")
