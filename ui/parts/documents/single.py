"""One document: what is in it, and what can be done with it."""

import streamlit as st

from ui.client import Api, ApiError
from ui.parts.access import failed
from ui.parts.documents.address import leave
from ui.parts.documents.asking import ask_about
from ui.parts.documents.deleting import confirm
from ui.parts.documents.document import Document
from ui.parts.documents.library import PLACE, Original, document, replace
from ui.parts.documents.preview import preview
from ui.parts.documents.row import badge, condition, facts
from ui.parts.documents.watching import watch
from ui.parts.look import plain
from ui.parts.understanding import understanding

LONGEST_TITLE = 300


def single(api: Api, document_id: str) -> None:
    """Show it."""
    st.button("All documents", icon=":material/arrow_back:", type="tertiary", key="back", on_click=leave)
    try:
        shown = document(api, document_id)
    except ApiError as error:
        _missing(error)
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(plain(shown.title), anchor=False, width="content")
        badge(shown)
    facts(shown)
    place = condition(shown)
    _coverage(shown)
    _actions(api, shown)
    if shown.live_version:
        preview(api, shown.id)
    elif not shown.unfinished:
        st.caption("None of its text could be read.")
    watch([shown], {shown.id: place} if place is not None else {}, lambda: [document(api, document_id)])


def _missing(error: ApiError) -> None:
    if error.status in {404, 422}:
        st.info("There is no such document. It may have been deleted.", icon=":material/search_off:")
        return
    failed(error)
    st.button("Try again", icon=":material/refresh:", key="load-again")


def _coverage(shown: Document) -> None:
    if shown.indexed_share is None:
        return
    if shown.indexed_share >= 1:
        st.caption(":material/done_all: All of its text is indexed.")
    else:
        share = int(shown.indexed_share * 100)
        st.caption(f":material/rule: {share} % of its text is found by meaning and by words; the rest, by its words only.")


def _actions(api: Api, shown: Document) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        if shown.live_version and st.button("Ask about this document", icon=":material/forum:", type="primary", key="ask"):
            ask_about([shown])
        st.download_button(
            "Download",
            Original(api, shown.id),
            file_name=shown.filename,
            mime="application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
            key="download",
        )
        with st.popover("Rename", icon=":material/edit:"):
            _rename(api, shown)
        with st.popover("New version", icon=":material/upload_file:"):
            _replace(api, shown)
        if st.button("Delete", icon=":material/delete:", key="delete"):
            confirm([shown])


def _rename(api: Api, shown: Document) -> None:
    with st.form(f"rename-{shown.id}", border=False):
        title = st.text_input("Title", shown.title, max_chars=LONGEST_TITLE)
        if not st.form_submit_button("Save", type="primary"):
            return
    if not title.strip():
        st.error("A title has to say something.", icon=":material/error:")
        return
    try:
        with understanding():
            api.patch(f"{PLACE}/{shown.id}", {"title": title.strip()})
    except ApiError as error:
        failed(error)
    else:
        st.rerun()


def _replace(api: Api, shown: Document) -> None:
    st.caption("The present version answers until the new one is read. Old answers keep their sources.")
    key = f"version-{shown.id}-{shown.version}"
    file = st.file_uploader("File of the new version", key=key)
    if file is None or not st.button("Upload", type="primary", key=f"replace-{shown.id}"):
        return
    try:
        with st.spinner("Sending"):
            replace(api, shown.id, file.name, file)
    except ApiError as error:
        failed(error)
    else:
        st.rerun()
