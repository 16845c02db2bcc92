"""Documents: what was uploaded, how far it is read, and one of them in full."""

import streamlit as st

from ui.parts import modes
from ui.parts.access import api
from ui.parts.documents.address import opened
from ui.parts.documents.deleting import question
from ui.parts.documents.dropping import drop
from ui.parts.documents.listing import documents_list
from ui.parts.documents.single import single
from ui.parts.documents.storage import storage


def main() -> None:
    """Show the list, where more can be dropped, or the document that is open."""
    document = opened()
    if document is not None:
        single(api(), document)
    else:
        _all()
    question()


def _all() -> None:
    st.title("Documents", anchor=False)
    # What answers may take seconds to tell, and the documents should not wait for it.
    banner = st.container()
    drop()
    storage(api())
    documents_list(api())
    with banner:
        modes.banner()


main()
