"""What was read of a document, part by part."""

from html import escape

import streamlit as st

from ui.client import Api, ApiError
from ui.parts.access import failed
from ui.parts.documents.library import text

PART = 4000
"""Characters of a part."""
SLACK = 300
"""As far before its place a part may begin, so that it begins with a line, or at least with a word."""


@st.fragment
def preview(api: Api, document_id: str) -> None:
    """Show a part, and let others be turned to."""
    st.subheader("What was read", anchor=False)
    key = f"part-{document_id}"
    number: int = st.session_state.get(key, 1)
    # The widget stands below, so that turning is the same click each time; above, it says where one is.
    try:
        first = max((number - 1) * PART - SLACK, 0)
        found, length = text(api, document_id, first, number * PART)
    except ApiError as error:
        failed(error)
        st.button("Try again", icon=":material/refresh:", key=f"read-again-{document_id}")
        return
    if not length:
        st.caption("No text was found in it.")
        return
    parts = -(-length // PART)
    if number > parts:  # It was turned to in a longer version.
        st.session_state.pop(key)
        st.rerun()
    st.caption(f"Part {number:,} of {parts:,}")
    begins = (number - 1) * PART - first
    shown = found[cut(found[:begins]) :] if number == parts else found[cut(found[:begins]) : cut(found)]
    st.html(f'<div class="passage" tabindex="0" role="region" aria-label="Part {number}">{escape(shown)}</div>')
    if parts > 1:
        st.pagination(parts, key=key)


def cut(text: str) -> int:
    """Return where the part that begins about at the end of this text does begin: behind its last line, or its last word.

    Both parts beside a cut find the same one, for it depends on the last characters only.
    """
    least = max(len(text) - SLACK, 0)
    for sign in ("\n", " "):
        found = text.rfind(sign, least)
        if found >= 0:
            return found + 1
    return len(text)
