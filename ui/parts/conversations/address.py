"""Which conversation is open. The address names it, over reloads; the visit remembers it while other pages are looked at."""

from uuid import UUID

import streamlit as st

from ui.parts import dialogs

LAST = "conversation"
SOUGHT = "conversations_sought"
"""What is searched for in the list, which stands on this page only."""
NOTICE = "conversation_notice"
MISSING = "This conversation does not exist, or was deleted. Here is a new one."


def open_session() -> str | None:
    """Return the conversation that is open, by its id."""
    return st.query_params.get("session")


def go_to(session_id: str | None) -> None:
    """Open a conversation, or an empty one."""
    dialogs.close()
    st.session_state.pop(NOTICE, None)
    st.session_state[LAST] = session_id
    if session_id is None:
        st.query_params.pop("session", None)
    else:
        st.query_params["session"] = session_id


def arrive() -> None:
    """Whoever comes back from another page finds the conversation that was open; an address that names none is an empty one."""
    named = open_session()
    # Streamlit forgets the values of widgets, and only these, once a page without them has run: so one tells where the visitor was.
    came_back = SOUGHT not in st.session_state
    if came_back:
        dialogs.close()
        st.session_state.pop(NOTICE, None)
    if named is None and came_back and st.session_state.get(LAST) is not None:
        go_to(st.session_state[LAST])
    elif named is not None and not _is_id(named):
        missing()
    else:
        st.session_state[LAST] = named


def missing() -> None:
    """Open an empty conversation, and say why, until another one is opened."""
    go_to(None)
    st.session_state[NOTICE] = MISSING


def notice() -> str | None:
    """Return what is to be said about the address."""
    told: str | None = st.session_state.get(NOTICE)
    return told


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
