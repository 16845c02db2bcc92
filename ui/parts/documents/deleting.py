"""Deleting documents, once that is confirmed."""

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api
from ui.parts.dialogs import ask_for, asked, close, dialog
from ui.parts.documents.address import leave
from ui.parts.documents.document import Document
from ui.parts.documents.facts import counted
from ui.parts.documents.library import PLACE
from ui.parts.look import plain
from ui.parts.understanding import understanding

QUESTION = "delete documents"
NAMED = 8
"""As many are named before they are deleted; of more, only how many there are."""


def confirm(documents: list[Document]) -> None:
    """Ask whether these are to be deleted; the question stays until it is answered, whatever happens on the page meanwhile."""
    ask_for(QUESTION, {"documents": documents})
    st.rerun()


def question() -> None:
    """Show the question, if there is one: called once, at the end of the page."""
    about = asked(QUESTION)
    if about is not None:
        _question(about["documents"])


@dialog("Delete for good?")
def _question(documents: list[Document]) -> None:
    one = len(documents) == 1
    for document in documents[:NAMED]:
        st.markdown(f"- {plain(document.title)}")
    if len(documents) > NAMED:
        st.markdown(f"and {counted(len(documents) - NAMED, 'more document')}")
    st.write(f"{'It' if one else 'They'} will be gone from every answer at once, and from disk within about an hour.")
    with st.container(horizontal=True):
        really = st.button(f"Delete {'it' if one else 'them'}", type="primary", key="delete-really")
        if st.button("Keep", key="delete-not"):
            close()
            st.rerun()
    if really:
        _delete(documents)


def _delete(documents: list[Document]) -> None:
    """What could not be deleted is named with its reason, and can be tried again."""
    left: list[str] = []
    for document in documents:
        try:
            with understanding():
                api().delete(f"{PLACE}/{document.id}")
        except ApiError as error:
            if error.status != 404:  # Somebody else was faster.
                left.append(f"- {plain(document.title)}: {plain(error.message)}")
        else:
            st.session_state.pop(f"chosen-{document.id}", None)
    if left:
        st.error("\n".join(["Not deleted:", "", *left]), icon=":material/error:")
        return
    close()
    leave()
    st.toast(f"{counted(len(documents), 'document')} deleted.", icon=":material/delete:")
    st.rerun()
