"""Questions on their way: what this tab has asked, and the answers that it watches."""

from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.client import ApiError
from ui.client.following import Reading
from ui.parts import conversations, dropped
from ui.parts.access import api, failed
from ui.parts.broken_off import Kept, Unsent
from ui.parts.history import sources
from ui.parts.look import plain
from ui.parts.markdown import prose
from ui.parts.sources import chips

EVERY_SECONDS = 0.1
"""So often the text of an answer is shown anew: faster than it is read."""
ROUND_SECONDS = 1.0
"""So long it is shown from one run of the script: a run costs as much as many updates. Nothing but a dialog waits for its end."""
NEW = ""
"""Stands for the conversation that has not begun."""


@dataclass
class _Tab:
    """What a tab remembers, by conversation and by answer."""

    readings: dict[str, Reading] = field(default_factory=dict)
    unsent: dict[str, Unsent] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    began: set[str] = field(default_factory=set)
    rounds: bool = True


def _tab() -> _Tab:
    tab: _Tab = st.session_state.setdefault("asking", _Tab())
    return tab


def ask(question: str) -> None:
    """Ask in the open conversation, or begin one. What goes wrong is shown on the page, with the question."""
    tab = _tab()
    opened = conversations.open_session()
    tab.unsent.pop(opened or NEW, None)
    try:
        # Begun before the question, so that the address names it from now on, whatever happens.
        session_id = opened or conversations.session_for_first_question() or str(api().post("/chat/sessions", {})["id"])
    except ApiError as error:
        tab.unsent[NEW] = Unsent(question, error)
        return
    conversations.go_to(session_id)
    reading = _begin(session_id)
    reading.question = question
    if opened is None:
        tab.began.add(session_id)
    reading.ask("/chat/query", {"query": question, "session_id": session_id}, after=dropped.sent())


def again(session_id: str, message_id: str) -> None:
    """Let the newest answer be given anew."""
    _tab().kept.pop(message_id, None)
    reading = _begin(session_id)
    reading.again = message_id
    reading.ask(f"/chat/sessions/{session_id}/messages/{message_id}/regenerate", {})


def follow(session_id: str, message_id: str) -> None:
    """Watch an answer that is being given."""
    _tab().done.discard(message_id)
    _tab().kept.pop(message_id, None)
    _begin(session_id).follow(message_id)


def over(session_id: str | None) -> bool:
    """Return whether the answer that is read in a conversation has come to its end: messages that are read from now on have it."""
    reading = _tab().readings.get(session_id or NEW)
    return reading is not None and reading.over


def current(session_id: str | None, messages: list[dict[str, Any]], *, over: bool) -> Reading | None:
    """Return the answer that is being given in a conversation, if there is one, however it was begun.

    ``over`` was asked before the messages were read. An answer that has ended since is shown once more, and settled by the next
    run.
    """
    tab = _tab()
    newest = messages[-1] if messages else None
    reading = tab.readings.get(session_id or NEW)
    if reading is not None and over:
        del tab.readings[reading.session_id]
        _settle(reading, messages)
        reading = None
    if reading is None and session_id and newest is not None and newest["status"] == "streaming" and newest["id"] not in tab.done:
        follow(session_id, newest["id"])
        reading = tab.readings[session_id]
    return reading


def kept(message: dict[str, Any]) -> Kept | None:
    """Return why an answer broke off, or could not be given anew, if that was seen here."""
    found = _tab().kept.get(message["id"])
    # One that could not be read here may have come to its end all the same.
    return found if found and (found.anew or message["status"] in {"incomplete", "streaming"}) else None


def _begin(session_id: str) -> Reading:
    tab = _tab()
    if (before := tab.readings.pop(session_id, None)) is not None:
        before.leave()
    context = get_script_run_ctx()
    mine = context.session_id if context else ""
    # Whoever closes the tab reads no longer; the answer then has the grace of the API.
    reading = Reading(api(), session_id, watched=lambda: not Runtime.exists() or Runtime.instance().is_active_session(mine))
    tab.readings[session_id] = reading
    return reading


def _settle(reading: Reading, messages: list[dict[str, Any]]) -> None:
    """Put what is left of a reading to where it belongs, now that it is over."""
    tab = _tab()
    if reading.message_id is not None:
        # Should the list be behind, it is not followed once more by itself.
        tab.done.add(reading.message_id)
    if reading.error is None:
        return
    if reading.message_id is not None and any(message["id"] == reading.message_id for message in messages):
        tab.kept[reading.message_id] = Kept(reading.error, reading.text, anew=False)
    elif reading.again is not None:
        tab.kept[reading.again] = Kept(reading.error, "", anew=True)
    elif _stored(reading, messages):
        tab.kept[messages[-1]["id"]] = Kept(reading.error, "", anew=False)
    elif reading.question is not None and reading.message_id is None:
        _back(reading.session_id, Unsent(reading.question, reading.error), empty=not messages)


def _stored(reading: Reading, messages: list[dict[str, Any]]) -> bool:
    """Return whether the question is there, though the answer to it never came."""
    asked = [message["content"] for message in messages if message["role"] == "user"]
    return asked[-1:] == [reading.question] and messages[-1]["status"] not in {"complete", "stopped"}


def _back(session_id: str, question: Unsent, *, empty: bool) -> None:
    """Keep a question that was not taken, without the conversation that it was to begin."""
    tab = _tab()
    if not (empty and session_id in tab.began):
        tab.unsent[session_id] = question
        return
    tab.unsent[NEW] = question
    tab.began.discard(session_id)
    conversations.go_to(None)
    with suppress(ApiError):
        conversations.keep_for_next(session_id)
        api().delete(f"/chat/sessions/{session_id}")
    st.rerun()


def waiting(session_id: str | None) -> bool:
    """Return whether a question stands there that could not be asked."""
    return (session_id or NEW) in _tab().unsent


def unsent(session_id: str | None) -> None:
    """Show the question that could not be asked, if there is one, with what can be done about it."""
    key = session_id or NEW
    found = _tab().unsent.get(key)
    if found is None:
        return
    with st.chat_message("user"):
        st.markdown(plain(found.question))
    with st.chat_message("assistant"):
        failed(found.error)
        with st.container(horizontal=True):
            st.button("Try again", icon=":material/refresh:", key="unsent-again", on_click=ask, args=(found.question,))
            st.button("Discard", icon=":material/close:", key="unsent-discard", type="tertiary", on_click=_discard, args=(key,))


def _discard(key: str) -> None:
    _tab().unsent.pop(key, None)


def progress(reading: Reading) -> None:
    """Show an answer while it is given, with a way to end it."""
    tab = _tab()
    drawn = _drawn(reading)
    told, stopping = drawn
    # Here it is shown once, and the rest of the page comes after it; it goes on by itself.
    tab.rounds = False
    _live(reading, drawn)
    tab.rounds = True
    # What can be clicked stands outside of what is shown anew all the time, and is heard at once; this one is always in sight.
    st.bottom.button("Stop", icon=":material/stop_circle:", key="stop", on_click=reading.stop, disabled=stopping)
    found = sources(reading.sources) if told else []
    if found:
        st.caption("Found in your documents")
        # Which of them it will cite is not known yet.
        chips(reading.message_id or reading.session_id, [{**source, "cited": True} for source in found])


@st.fragment(run_every=ROUND_SECONDS)
def _live(reading: Reading, drawn: tuple[bool, bool]) -> None:
    said, doing = st.empty(), st.empty()
    shown = ""
    until = monotonic() + ROUND_SECONDS
    while True:
        if reading.over or _drawn(reading) != drawn:
            st.rerun()
        text = reading.text
        if text != shown:
            shown = text
            said.markdown(prose(text))
        # Also what stays the same lets Streamlit notice that somebody has clicked.
        doing.caption(f":material/{_sign(reading)}: {_stage(reading, said=bool(text))}")
        if not _tab().rounds or monotonic() > until:
            return
        reading.wait(EVERY_SECONDS)


def _drawn(reading: Reading) -> tuple[bool, bool]:
    """Return what the rest of the page shows of it: whether there are sources, and whether it is being stopped."""
    return bool(reading.sources), reading.stopping


def _sign(reading: Reading) -> str:
    return "sync_problem" if reading.broken else "pending"


def _stage(reading: Reading, *, said: bool) -> str:
    if reading.stopping:
        return "Stopping"
    if reading.broken:
        return "The connection broke. Trying to go on"
    if said:
        return "Writing"
    if reading.searched:
        number = len(reading.sources)
        return f"Reading {number} passage{'' if number == 1 else 's'}" if number else "Nothing was found. Thinking"
    return "Sending your files" if reading.waiting else "Searching your documents"
