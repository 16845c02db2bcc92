"""A document in a few lines: the same in the list and on top of its own page."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.documents.document import STATES, Document
from ui.parts.documents.facts import counted, moment, size
from ui.parts.documents.library import PLACE
from ui.parts.look import plain
from ui.parts.understanding import understanding


def badge(document: Document) -> None:
    """Show its state."""
    words, icon, color = STATES[document.status]
    st.badge(words, icon=icon, color=color)


def facts(document: Document) -> None:
    """Show what is known of it."""
    said = [document.filename, size(document.size)]
    said += [counted(document.pages, "page")] if document.pages else []
    said += [counted(document.passages, "passage")] if document.passages else []
    said += [f"version {document.version}"] if document.version > 1 else []
    st.caption(plain(" · ".join([*said, f"uploaded {moment(document.created_at)}"])))


def condition(document: Document) -> DeltaGenerator | None:
    """Show what happens with it, what went wrong, and what can be done; return the place of its progress while there is some."""
    place = st.container() if document.unfinished else None
    if document.error is not None:
        st.error(plain(document.error), icon=":material/error:")
    if document.live_version not in {None, document.version}:
        st.caption(f":material/history: Until version {document.version} is ready, version {document.live_version} answers.")
    for note in document.notes:
        st.caption(f":material/info: {plain(note)}")
    if document.unfinished and st.button("Cancel", icon=":material/close:", key=f"cancel-{document.id}"):
        act(document, "cancel")
    if document.may_succeed and st.button("Try again", icon=":material/refresh:", key=f"retry-{document.id}"):
        act(document, "retry")
    return place


def act(document: Document, what: str) -> None:
    """Do something with it, and load the page anew. That its state is not what it was a moment ago is no error."""
    try:
        with understanding():
            api().post(f"{PLACE}/{document.id}/{what}")
    except ApiError as error:
        if error.code != "document_state":
            failed(error)
            return
    st.rerun()
