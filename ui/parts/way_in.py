"""What people see who are not signed in."""

from html import escape
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import streamlit as st

from ui.client import ApiError
from ui.parts.access import LEFT, failed, http
from ui.parts.look import ICON
from ui.settings import api_url, public_url

PROMISES = (
    ("Checked.", "Every answer names the passages that it rests on, one click away."),
    ("Yours.", "Nobody else sees your documents or your conversations."),
    ("Honest.", "What your documents do not say, you are told."),
)
DOWN = "The server does not answer right now."
ANSWERS_WITHIN_SECONDS = 10


def welcome(said: str) -> None:
    """Show the way in. ``said`` is what the visitor should know first."""
    with st.container(key="way-in"):
        promises = "".join(f"<li><strong>{name}</strong> {words}</li>" for name, words in PROMISES)
        st.html(
            f'<div class="way-in">{ICON}<h1>Docent</h1>'
            f'<p class="lead">Ask your own documents, and see where each answer comes from.</p><ul>{promises}</ul></div>'
        )
        if said:
            st.info(said)
        registration_open = _registration_open()
        if registration_open is None:
            st.error(DOWN, icon=":material/error:")
            st.button("Try again", icon=":material/refresh:")
            return
        ways = [("sign-in", "Sign in"), *([("sign-up", "Open an account")] if registration_open else [])]
        links = "".join(f'<a target="_self" href="{escape(_address(path))}">{words}</a>' for path, words in ways)
        st.html(f'<div class="ways">{links}</div>')


def unavailable(error: ApiError) -> None:
    """Show that nobody can be let in right now."""
    with st.container(key="way-in"):
        st.html(f'<div class="way-in">{ICON}<h1>Docent</h1></div>')
        failed(error)
        st.button("Try again", icon=":material/refresh:")


def _registration_open() -> bool | None:
    """Return whether strangers may open an account, as far as the API tells; ``None`` if it does not answer."""
    try:
        response = http(api_url()).get("/", headers={"Accept": "application/json"}, timeout=ANSWERS_WITHIN_SECONDS)
        told = response.json() if response.is_success else None
    except httpx2.HTTPError:
        return None
    except ValueError:
        told = None
    return told.get("registration_open", True) is not False if isinstance(told, dict) else None


def _address(path: str) -> str:
    """Return where a form is, that leads back to the page that was wanted; whoever has just left wants none."""
    if LEFT in st.session_state:
        return f"{public_url()}/{path}"
    wanted = urlencode(st.query_params.to_dict(), doseq=True)
    here = urlsplit(st.context.url or "")._replace(query=wanted)
    here = here if here.path else here._replace(path="/")
    return f"{public_url()}/{path}?next={quote(here.geturl(), safe='')}"
