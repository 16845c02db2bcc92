"""Asking about some documents only."""

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed
from ui.parts.documents.document import Document
from ui.parts.documents.library import conversation

MOST = 100
"""As many documents as a conversation can be limited to."""


def ask_about(documents: list[Document]) -> None:
    """Begin a conversation that is answered from these documents, and go there."""
    try:
        session = conversation(api(), [document.id for document in documents[:MOST]])
    except ApiError as error:
        failed(error)
        return
    st.switch_page("views/chat.py", query_params={"session": session})
