"""Files that were dropped into the chat: on their way to the API, and what becomes of them there."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui.client import Api, ApiError, unreadable
from ui.parts.access import api
from ui.parts.look import plain

EVERY_SECONDS = 1.5
WORKING = frozenset({"pending", "processing"})
STAGES = {"reading": "Being read", "embedding": "Being made searchable"}


@dataclass
class _File:
    """One of them. ``document`` is what the API last said of it, ``refused`` why there is none."""

    name: str
    data: Any
    document: dict[str, Any] | None = None
    refused: str | None = None
    sent: threading.Event = field(default_factory=threading.Event)

    @property
    def working(self) -> bool:
        return not self.sent.is_set() or (self.document or {}).get("status") in WORKING


def take(files: Sequence[Any], session_id: str | None) -> None:
    """Send files, one after the other, without anybody waiting for that.

    A conversation that is about some documents only is about these as well.
    """
    new = [_File(file.name, file) for file in files]
    if new:
        st.session_state.dropped = [*_files(), *new]
        threading.Thread(target=_send, args=(api(), new, session_id), name="upload", daemon=True).start()


def sent() -> Callable[[], None]:
    """Return what waits until all of them have arrived: a question that came along is about them."""
    on_their_way = [file.sent for file in _files()]

    def wait() -> None:
        for file in on_their_way:
            file.wait()

    return wait


def show() -> None:
    """Show each with its state, until it is dismissed."""
    if _files():
        working = any(file.working for file in _files())
        st.fragment(_show, run_every=EVERY_SECONDS if working else None)(working)


def _show(working: bool) -> None:
    files = _files()
    for file in files:
        if file.sent.is_set() and file.working:
            _look_after(file)
    if working and not any(file.working for file in files):
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None):
            for file in files:
                sign, color, words = _state(file)
                name = plain((file.document or {}).get("title") or file.name)
                st.markdown(f":{color}[:material/{sign}:] **{name}** · :gray[{words}]")
        if not working:
            st.button("Dismiss", key="dropped-dismiss", type="tertiary", icon=":material/close:", on_click=_dismiss)


def _send(to: Api, files: list[_File], session_id: str | None) -> None:
    for file in files:
        try:
            file.document = _document(to.upload(file.name, file.data))
            if session_id is not None:
                _add(to, session_id, file.document["id"])
        except ApiError as error:
            file.refused = error.message
        finally:
            file.data = None
            file.sent.set()


def _add(to: Api, session_id: str, document_id: str) -> None:
    chosen = to.get(f"/chat/sessions/{session_id}")["document_ids"]
    if chosen:
        to.patch(f"/chat/sessions/{session_id}", {"document_ids": [*chosen, document_id]})


def _look_after(file: _File) -> None:
    try:
        file.document = _document(api().get(f"/chat/documents/{(file.document or {}).get('id')}"))
    except ApiError as error:
        # What is passing is asked again at the next look.
        if error.status == 404:
            file.document, file.refused = None, "It was deleted meanwhile."
        elif error.status and error.status < 500 and error.status != 429:
            file.document, file.refused = None, error.message


def _document(told: object) -> dict[str, Any]:
    if not isinstance(told, dict) or not isinstance(told.get("id"), str):
        raise unreadable()
    return told


def _state(file: _File) -> tuple[str, str, str]:
    if not file.sent.is_set():
        return "upload", "gray", "Being sent"
    if file.document is None:
        return "error", "red", f"Not uploaded. {plain(file.refused or '')}"
    if file.refused is not None:
        return "error", "red", f"Uploaded, but not searched in this conversation. {plain(file.refused)}"
    status = file.document.get("status")
    if status == "ready":
        return "check_circle", "green", "Ready"
    if status == "failed":
        error = file.document.get("error")
        return "error", "red", plain(str(error.get("message"))) if isinstance(error, dict) else "It could not be read."
    return "hourglass", "gray", _stage(file.document)


def _stage(document: dict[str, Any]) -> str:
    if document.get("waiting_for"):
        return f"Waiting: {plain(str(document['waiting_for']))}"
    progress = document.get("progress")
    done, total = (progress.get("done"), progress.get("total")) if isinstance(progress, dict) else (None, None)
    words = STAGES.get(str(document.get("stage")), "Waiting to be read")
    return f"{words}, {done} of {total}" if isinstance(done, int) and isinstance(total, int) and total else words


def _files() -> list[_File]:
    files: list[_File] = st.session_state.get("dropped", [])
    return files


def _dismiss() -> None:
    st.session_state.dropped = []
