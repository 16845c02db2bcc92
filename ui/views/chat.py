"""Asking, and reading the answers."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts import conversations
from ui.parts.access import api, failed
from ui.parts.answers import answer
from ui.parts.look import plain

NEWEST = 200


def main() -> None:
    """Show the conversation that is open, and take the next question."""
    conversations.sidebar()
    session = _session()
    if session is not None:
        conversations.settings(session)
    messages = _messages(session)
    if not messages:
        st.title("What would you like to know?")
        st.caption("Answers come from your documents, each with its place. Drop files below, or into Documents.")
    for number, message in enumerate(messages):
        with st.chat_message(message["role"]):
            if message["role"] == "user":
                _question(message)
            else:
                answer(message, newest=number == len(messages) - 1)
    sent = st.chat_input("Ask about your documents", accept_file="multiple")
    if sent is not None:
        _upload(sent.files)
    again = st.session_state.pop("again", None)
    edited = st.session_state.pop("edited", None)
    if again is not None and session is not None:
        _ask(f"/chat/sessions/{session['id']}/messages/{again}/regenerate", {})
    elif edited is not None or (sent is not None and sent.text.strip()):
        text = edited or sent.text
        with st.chat_message("user"):
            st.markdown(plain(text))
        _ask("/chat/query", {"query": text, **({"session_id": session["id"]} if session else {})})


def _session() -> dict[str, Any] | None:
    chosen = conversations.open_session()
    if chosen is None:
        return None
    try:
        found: dict[str, Any] = api().get(f"/chat/sessions/{chosen}")
    except ApiError as error:
        if error.status in {404, 422}:
            conversations.go_to(None)
            return None
        failed(error)
        st.stop()
    return found


def _messages(session: dict[str, Any] | None) -> list[dict[str, Any]]:
    if session is None:
        return []
    try:
        return api().all(f"/chat/sessions/{session['id']}/messages")[-NEWEST:]
    except ApiError as error:
        failed(error)
        st.stop()


def _question(message: dict[str, Any]) -> None:
    st.markdown(plain(message["content"]))
    with st.popover("Edit", icon=":material/edit:", type="tertiary"), st.form(f"edit-{message['id']}", border=False):
        text = st.text_area("Ask this instead, in a branch of the conversation", message["content"])
        if st.form_submit_button("Ask") and text.strip():
            try:
                branch = api().post(f"/chat/sessions/{message['session_id']}/messages/{message['id']}/branch")
            except ApiError as error:
                failed(error)
                return
            st.session_state.edited = text
            conversations.go_to(branch["id"])
            st.rerun()


def _upload(files: list[Any]) -> None:
    for file in files:
        try:
            document = api().upload(file.name, file)
            st.toast(f"{document['title']} is being read.", icon=":material/description:")
        except ApiError as error:
            st.toast(f"{file.name}: {error.message}", icon=":material/error:")


def _ask(path: str, body: dict[str, Any]) -> None:
    """Stream an answer. Whatever interrupts the page leaves the stream, which stops the answer; what was said is kept."""
    with st.chat_message("assistant"):
        st.button("Stop", icon=":material/stop_circle:", key="stop", on_click=_stop)
        try:
            st.write_stream(_pieces(path, body))
        except ApiError as error:
            failed(error)
            return
        finally:
            st.session_state.pop("running", None)
    st.rerun()


def _pieces(path: str, body: dict[str, Any]) -> Iterator[str]:
    for event in api().stream(path, {**body, "stream": True}):
        if event.name == "run":
            st.session_state.running = event.data
            conversations.go_to(event.data["session_id"])
        elif event.name == "delta":
            yield event.data["text"].replace("$", "\\$")
        elif event.name == "error":
            raise ApiError(0, event.data["code"], event.data["message"])


def _stop() -> None:
    running = st.session_state.pop("running", None)
    if running is not None:
        try:
            api().post(f"/chat/sessions/{running['session_id']}/messages/{running['message_id']}/stop")
        except ApiError:
            st.toast("The answer had ended by then.")


main()
