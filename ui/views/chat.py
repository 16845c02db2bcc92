"""Asking, and reading the answers."""

from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.client.following import Reading
from ui.parts import asking, beginning, conversations, dropped, history, modes
from ui.parts.access import api, failed
from ui.parts.answers import answer
from ui.parts.look import plain
from ui.parts.questions import question

BOX = "question"


def main() -> None:
    """Show the conversation that is open, and take the next question."""
    conversations.sidebar()
    session = _session()
    settings, mode = st.container(), st.container()
    session_id = session["id"] if session else None
    # Looked at first: of an answer that ends while the messages are read they tell that it is still being given.
    over = asking.over(session_id)
    messages = _messages(session)
    if messages is not None:
        _conversation(session_id, messages, over=over)
    dropped.show()
    st.chat_input("Ask about your documents", key=BOX, accept_file="multiple", on_submit=_submitted)
    # What is not waited for comes last: a question is to be seen at once.
    if session is not None:
        with settings:
            conversations.settings(session)
    with mode:
        modes.banner()


def _conversation(session_id: str | None, messages: list[dict[str, Any]], *, over: bool) -> None:
    reading = asking.current(session_id, messages, over=over)
    asked = reading.question if reading else None
    if reading is not None:
        messages, asked = _before(reading, messages)
    if not messages and reading is None and not asking.waiting(session_id):
        beginning.greeting()
    for number, message in enumerate(messages):
        with st.chat_message(message["role"]):
            if message["role"] == "user":
                question(message)
            else:
                answer(message, newest=reading is None and number == len(messages) - 1)
    if asked:
        with st.chat_message("user"):
            st.markdown(plain(asked))
    if reading is not None:
        with st.chat_message("assistant"):
            asking.progress(reading)
    asking.unsent(session_id)


def _before(reading: Reading, messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str | None]:
    """Return what stands before an answer that is being given, and its question if that is not among it yet."""
    stored = bool(messages) and messages[-1]["status"] == "streaming"
    if stored:
        messages = messages[:-1]
    # One that is given anew takes the place of what was the newest.
    anew = (stored or reading.again is not None) and bool(messages) and messages[-1]["role"] == "assistant"
    return messages[:-1] if anew else messages, None if stored else reading.question


def _session() -> dict[str, Any] | None:
    chosen = conversations.open_session()
    if chosen is None:
        return None
    try:
        found: dict[str, Any] = api().get(f"/chat/sessions/{chosen}")
    except ApiError as error:
        if error.status in {404, 422}:
            conversations.missing()
            return None
        _unavailable(error)
        st.stop()
    return found


def _messages(session: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    """Return what is shown of a conversation, or None if it cannot be read, which is said."""
    if session is None:
        return []
    try:
        messages, more = history.messages(session["id"])
    except ApiError as error:
        _unavailable(error)
        return None
    if more:
        st.button("Show earlier messages", icon=":material/expand_less:", on_click=history.earlier, args=(session["id"],))
    return messages


def _unavailable(error: ApiError) -> None:
    failed(error)
    st.button("Try again", icon=":material/refresh:", key="reload")


def _submitted() -> None:
    sent = st.session_state[BOX]
    dropped.take(sent.files, conversations.open_session())
    if sent.text.strip():
        asking.ask(sent.text)


main()
