"""The list of all documents, newest first."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.client import Api, ApiError
from ui.parts.access import failed
from ui.parts.documents.address import enter
from ui.parts.documents.asking import MOST, ask_about
from ui.parts.documents.deleting import confirm
from ui.parts.documents.document import STATES, Document
from ui.parts.documents.dropping import ACCEPTED
from ui.parts.documents.facts import counted
from ui.parts.documents.library import AT_ONCE, newest
from ui.parts.documents.row import badge, condition, facts
from ui.parts.documents.watching import EVERY_SECONDS, watch
from ui.parts.look import plain

PART = 50
"""As many are shown at first, and more with each click."""
SEARCHED = 1000
"""As many are looked through for those that are wanted."""
EVERY_STATE = "all"
AFTERWARDS = "As soon as one is read, you can ask about it in the chat."


def documents_list(api: Api) -> None:
    """Show it, with what can be searched and chosen in it."""
    top = st.container()
    wanted, state = st.session_state.get("sought", "").strip().casefold(), st.session_state.get("state", EVERY_STATE)
    sought = bool(wanted) or state != EVERY_STATE
    most = SEARCHED if sought else st.session_state.setdefault("documents_shown", PART)
    loaded = _loaded(api, most)
    if loaded is None:
        return
    documents, more = loaded
    if not documents:
        _invitation()
        return
    found = [document for document in documents if _fits(document, wanted, state)]
    _search(top)
    choosing = _choosing(top, found)
    places: dict[str, DeltaGenerator] = {}
    for document in found:
        place = _row(document, choosing=choosing)
        if place is not None:
            places[document.id] = place
    _end(found, sought=sought, more=more)
    # One call tells of a hundred documents; the more are shown, the less often they are asked for, for calls are limited.
    every = EVERY_SECONDS * (1 + (len(documents) - 1) // AT_ONCE)
    watch(documents, places, lambda: newest(api, most)[0], every=every)


def _search(top: DeltaGenerator) -> None:
    with top, st.container(horizontal=True, vertical_alignment="bottom"):
        field = "Search titles and file names"
        st.text_input(field, placeholder=field, label_visibility="collapsed", key="sought")
        states = [EVERY_STATE, *STATES]
        st.selectbox("Show", states, format_func=_state_words, label_visibility="collapsed", width=140, key="state")


def _state_words(state: str) -> str:
    return "All states" if state == EVERY_STATE else STATES[state][0]


def _loaded(api: Api, most: int) -> tuple[list[Document], bool] | None:
    """Return the documents, and whether there are more. What was known before is shown where they cannot be had."""
    try:
        with st.spinner("Loading", show_time=False):
            loaded = newest(api, most)
    except ApiError as error:
        failed(error)
        st.button("Try again", icon=":material/refresh:", key="load-again")
        known: tuple[list[Document], bool] | None = st.session_state.get("documents_known")
        if known is not None:
            st.caption("This is what was here before.")
        return known
    st.session_state.documents_known = loaded
    return loaded


def _fits(document: Document, wanted: str, state: str) -> bool:
    named = wanted in document.title.casefold() or wanted in document.filename.casefold()
    return named and state in {EVERY_STATE, document.status}


def _choosing(top: DeltaGenerator, found: list[Document]) -> bool:
    """Let several be chosen, to do something with all of them; return whether that is so."""
    with top, st.container(horizontal=True, vertical_alignment="center"):
        choosing = st.toggle("Choose several", key="choosing")
        chosen = [document for document in found if st.session_state.get(f"chosen-{document.id}")] if choosing else []
        if not choosing:
            return False
        st.caption(f"{len(chosen)} of {len(found)} chosen")
        if st.button("Delete", icon=":material/delete:", key="delete-chosen", disabled=not chosen):
            confirm(chosen)
        answering = [document for document in chosen if document.live_version]
        if st.button("Ask about these", icon=":material/forum:", key="ask-chosen", disabled=not 0 < len(answering) <= MOST):
            ask_about(answering)
    return True


def _row(document: Document, *, choosing: bool) -> DeltaGenerator | None:
    with st.container(border=True, gap="xsmall", key=f"document-{document.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if choosing:
                st.checkbox(plain(document.title), key=f"chosen-{document.id}")
            else:
                st.button(
                    f"**{plain(document.title)}**",
                    type="tertiary",
                    key=f"open-{document.id}",
                    on_click=enter,
                    args=(document.id,),
                    icon=":material/description:",
                )
            badge(document)
        facts(document)
        place = condition(document)
        if document.status == "failed" and st.button("Delete", icon=":material/delete:", key=f"delete-{document.id}"):
            confirm([document])
        return place


def _end(found: list[Document], *, sought: bool, more: bool) -> None:
    if not found:
        st.caption("No document fits.")
    if sought and more:
        st.caption(f"Looked for in the newest {counted(SEARCHED, 'document')}.")
    elif more and st.button("Show more", icon=":material/expand_more:", key="more"):
        st.session_state.documents_shown += PART
        st.rerun()


def _invitation() -> None:
    st.info(f"**Nothing here yet.** Drop files above: {ACCEPTED} {AFTERWARDS}", icon=":material/upload_file:")
