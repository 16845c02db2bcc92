"""The list beside the chat."""

from datetime import datetime

import streamlit as st

from ui.client import ApiError, unreadable
from ui.parts.access import api, failed
from ui.parts.conversations.actions import STYLE as MENU
from ui.parts.conversations.actions import actions, show_dialogs
from ui.parts.conversations.address import SOUGHT, arrive, go_to, missing, notice, open_session
from ui.parts.conversations.choices import choices_of_a_new_one
from ui.parts.conversations.conversation import Conversation, grouped
from ui.parts.look import plain
from ui.parts.wording import zone

SHOWN = 30
MOST = 100
"""As many as the API gives at a time."""
LIMIT = "conversations_shown"

STYLE = """
<style>
[class*="st-key-conversation-row"]{gap:0;flex-wrap:nowrap;align-items:center}
[class*="st-key-conversation-row"]>div:first-child{flex:1 1 0;min-width:0}
[class*="st-key-conversation-row"] .stButton button{justify-content:flex-start;padding:.25rem .5rem;min-height:2.25rem}
[class*="st-key-conversation-row"] .stButton button>div{justify-content:flex-start;min-width:0}
[class*="st-key-conversation-row"] .stButton button>div>span{justify-content:flex-start}
[class*="st-key-conversation-row-open"] .stButton p{font-weight:600}
</style>
"""


def sidebar() -> None:
    """Show the list, newest first, and what was asked to be done with one of them."""
    arrive()
    st.html(STYLE + MENU)
    with st.sidebar:
        begin = "New conversation"
        st.button(begin, icon=":material/add:", key="new-chat", width="stretch", type="primary", on_click=go_to, args=(None,))
        try:
            listed = _list()
        except ApiError as error:
            failed(error)
            st.button("Try again", icon=":material/refresh:", key="conversations-again")
            listed = None
    chosen = open_session()
    if chosen is not None and listed is not None and chosen not in listed:
        _look_for(chosen)
    told = notice()
    if told is not None:
        st.info(told, icon=":material/info:")
    if open_session() is None:
        choices_of_a_new_one()
    show_dialogs()


def _list() -> set[str]:
    """Show what is found, and return the ids."""
    wanted = st.text_input(
        "Search conversations",
        type="search",
        key=SOUGHT,
        placeholder="Search conversations",
        label_visibility="collapsed",
        max_chars=200,
        on_change=_from_the_top,
    )
    sought = (wanted or "").strip() or None
    with st.spinner("Loading"):
        found, more = _found(sought, st.session_state.setdefault(LIMIT, SHOWN))
    if not found:
        st.caption("Nothing found. Try another word." if sought else "Your conversations will be here.")
    for name, members in grouped(found, datetime.now(zone())):
        with st.container(key=f"conversations-{name.replace(' ', '-').lower()}", gap=None):
            st.caption(name)
            for conversation in members:
                _row(conversation)
    if more:
        st.button("Show more", icon=":material/expand_more:", key="conversations-more", type="tertiary", on_click=_further)
    return {conversation.id for conversation in found}


def _found(sought: str | None, most: int) -> tuple[list[Conversation], bool]:
    """Return so many, the last used first, and whether there are more."""
    found: list[Conversation] = []
    cursor = None
    while len(found) < most:
        told = api().get("/chat/sessions", limit=min(most - len(found), MOST), q=sought, cursor=cursor)
        try:
            items, cursor = list(told["items"]), told["next_cursor"]
        except (KeyError, TypeError) as error:
            raise unreadable() from error
        found += [Conversation.of(item) for item in items]
        if cursor is None or not items:
            return found, False
    return found, True


def _row(conversation: Conversation) -> None:
    here = conversation.id == open_session()
    with st.container(horizontal=True, key=f"conversation-row-{'open-' if here else ''}{conversation.id}"):
        st.button(
            plain(" ".join(conversation.title.split())),
            key=f"session-{conversation.id}",
            width="stretch",
            type="secondary" if here else "tertiary",
            icon=":material/chat_bubble:" if here else None,
            wrap=False,
            on_click=go_to,
            args=(conversation.id,),
        )
        actions(conversation, place="list")


def _look_for(session_id: str) -> None:
    """One that is not in the list may be an older one, or none: somebody else's, or deleted."""
    try:
        api().get(f"/chat/sessions/{session_id}")
    except ApiError as error:
        # Anything else than its absence is told where its messages would be.
        if error.status in {404, 422}:
            missing()


def _from_the_top() -> None:
    st.session_state[LIMIT] = SHOWN


def _further() -> None:
    st.session_state[LIMIT] = st.session_state.get(LIMIT, SHOWN) + SHOWN
