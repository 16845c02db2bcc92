"""Progress, live: the page looks again and again while something is unfinished, and not at all otherwise."""

from collections.abc import Callable
from time import monotonic

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.client import ApiError
from ui.parts.documents.document import STAGES, Document
from ui.parts.documents.dropping import uploads
from ui.parts.look import plain

EVERY_SECONDS = 2.0


def watch(
    shown: list[Document], places: dict[str, DeltaGenerator], look: Callable[[], list[Document]], *, every: float = EVERY_SECONDS
) -> None:
    """Keep the progress of what is unfinished up to date in its place, and load the page anew when something has changed its state.

    ``look`` asks for the same documents again; it is not called as long as all of them are finished.
    """
    if places:
        st.fragment(_watched, run_every=every)(_Watch(shown, places, look))


class _Watch:
    """What was seen last. ``quiet_until`` is when the API wants to be asked again."""

    def __init__(self, shown: list[Document], places: dict[str, DeltaGenerator], look: Callable[[], list[Document]]) -> None:
        self.shown = shown
        self.places = places
        self.looked = 0
        self.quiet_until = 0.0
        self.trouble = ""
        self._look = look

    def look(self) -> bool:
        """Ask for news; return whether something began, ended, came or went."""
        self.looked += 1
        if self.looked == 1 or monotonic() < self.quiet_until or uploads().pause:
            return False
        try:
            seen = self._look()
        except ApiError as error:
            self.quiet_until = monotonic() + (error.retry_after or 0)
            self.trouble = error.message
            return error.status in {401, 404}
        changed = _states(seen) != _states(self.shown)
        self.shown, self.trouble = seen, ""
        return changed


def _states(documents: list[Document]) -> list[tuple[str, int, str]]:
    return [(document.id, document.version, document.status) for document in documents]


def _watched(watch: _Watch) -> None:
    if watch.look():
        st.rerun()
    for document in watch.shown:
        if document.id in watch.places:
            with watch.places[document.id]:
                _progress(document)
                if watch.trouble:
                    st.caption(f":material/sync_problem: How far it is now is not known: {plain(watch.trouble)}")


def _progress(document: Document) -> None:
    if document.status == "processing":
        share = min(document.done / document.total, 1.0) if document.total else 0.0
        count = f", {document.done:,} of {document.total:,}" if document.total else ""
        st.progress(share, STAGES.get(document.stage or "", "At work") + count)
    elif document.waiting_for:
        st.caption(f":material/hourglass: {plain(document.waiting_for)} It goes on by itself when this is over.")
    else:
        st.caption(":material/schedule: Its turn comes soon.")
