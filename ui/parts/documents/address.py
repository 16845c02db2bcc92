"""Which document is open: the address says it, so it still is after a reload."""

import streamlit as st

_NAME = "document"


def opened() -> str | None:
    """Return the document that is open."""
    return st.query_params.get(_NAME)


def enter(document_id: str) -> None:
    """Open a document."""
    st.query_params[_NAME] = document_id


def leave() -> None:
    """Go back to the list."""
    st.query_params.pop(_NAME, None)
