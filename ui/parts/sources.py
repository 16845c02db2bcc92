"""Sources: numbered chips, and the passage behind each in its place."""

from dataclasses import dataclass
from typing import Any, Self
from unicodedata import bidirectional

import streamlit as st

from ui.client import ApiError
from ui.parts import dialogs
from ui.parts.access import api, failed
from ui.parts.look import plain
from ui.parts.passages import STYLE, head, in_place, lead

DIALOG = "source"
AROUND = 1000
"""Characters that are asked for before and after a quote."""
LABEL = 32
"""Characters of a title on a chip."""
BEGINNING = 240
"""Characters of a quote in the tooltip."""
DIRECTIONS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F}
"""Signs that turn the direction of what follows them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that an answer was given."""

    marker: int
    document_id: str
    version: int
    title: str
    page: int | None
    heading: str | None
    start: int
    end: int
    quote: str
    cited: bool

    @classmethod
    def of(cls, told: Any) -> Self | None:
        """Read one; what is none is None."""
        try:
            page, heading = told["page"], told["heading"]
            return cls(
                int(told["marker"]),
                str(told["document_id"]),
                int(told["version"]),
                str(told["title"]),
                None if page is None else int(page),
                None if heading is None else str(heading),
                int(told["start"]),
                int(told["end"]),
                str(told["quote"]),
                bool(told["cited"]),
            )
        except (KeyError, TypeError, ValueError):
            return None


def chips(message_id: str, sources: list[dict[str, Any]]) -> None:
    """Show the sources of an answer; each opens its passage. Those that it does not cite stand behind a button."""
    known = [source for told in sources or [] if (source := Source.of(told)) is not None]
    cited = [source for source in known if source.cited]
    more = [source for source in known if not source.cited]
    if not known:
        return
    st.html(STYLE)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for source in cited:
            _chip(message_id, source)
        if more:
            words = f"More that was found ({len(more)})" if cited else f"What was found ({len(more)})"
            with st.popover(words, type="tertiary", key=f"more-{message_id}"):
                for source in more:
                    _chip(message_id, source)
    about = dialogs.asked(DIALOG)
    if about is not None and about["message_id"] == message_id:
        _passage([*cited, *more])


def label(source: Source) -> str:
    """Return what a chip says: number, title and page, in one line of plain text."""
    title = "".join(" " if sign.isspace() else sign for sign in source.title if ord(sign) not in DIRECTIONS)
    title = " ".join(title.split())
    if len(title) > LABEL:
        title = f"{title[: LABEL - 1].rstrip()}…"
    if any(bidirectional(sign) in {"R", "AL"} for sign in title):
        # Set apart, so that number and page stay on their sides.
        title = f"\N{FIRST STRONG ISOLATE}{title}\N{POP DIRECTIONAL ISOLATE}"
    return f"{source.marker} · {title}" + ("" if source.page is None else f", p. {source.page}")


def _chip(message_id: str, source: Source) -> None:
    beginning = " ".join(source.quote[:BEGINNING].split())
    st.button(
        plain(label(source)),
        key=f"source-{message_id}-{source.marker}",
        help=plain(beginning + ("…" if len(source.quote) > BEGINNING else "")) or None,
        on_click=dialogs.ask_for,
        args=(DIALOG, {"message_id": message_id, "marker": source.marker}),
        wrap=False,
    )


@dialogs.dialog("Source", width="medium")
def _passage(sources: list[Source]) -> None:
    """Show the quote that was asked for in its place."""
    about = dialogs.asked(DIALOG) or {}
    at = next((place for place, source in enumerate(sources) if source.marker == about.get("marker")), 0)
    source = sources[at]
    where = [] if source.page is None else [f"Page {source.page}"]
    where += [source.heading] if source.heading else []
    st.html(head(f"{source.marker}  {source.title}", where))
    if len(sources) > 1:
        _turn(about, sources, at)
    with st.spinner("Opening the document"):
        document, gone = _document(source)
        _text(source, document, gone=gone)
    _ways_on(source, document)


def _turn(about: dict[str, Any], sources: list[Source], at: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        ways = (("Previous", ":material/chevron_left:", at - 1), ("Next", ":material/chevron_right:", at + 1))
        for words, icon, to in ways:
            there = 0 <= to < len(sources)
            st.button(
                words,
                icon=icon,
                key=f"source-{words.lower()}",
                disabled=not there,
                on_click=dialogs.ask_for,
                args=(DIALOG, {**about, "marker": sources[to].marker if there else sources[at].marker}),
            )
        st.caption(f"{at + 1} of {len(sources)}", width="content")


def _document(source: Source) -> tuple[dict[str, Any] | None, bool]:
    """Return the document as it is now, if it can be had, and whether it is gone for good."""
    try:
        found = api().get(f"/chat/documents/{source.document_id}")
    except ApiError as error:
        return None, error.status == 404
    return (found, False) if isinstance(found, dict) and "filename" in found else (None, False)


def _text(source: Source, document: dict[str, Any] | None, *, gone: bool) -> None:
    try:
        place = f"/chat/documents/{source.document_id}/text"
        found = api().get(place, start=source.start, end=source.end, version=source.version, context=AROUND)
        before, text, after = (found["before"], found["text"], found["after"])
        begins, ends = lead(before), source.end >= found["length"] - len(after)
    except ApiError as error:
        if gone:
            st.info("This document was deleted. Its quote was kept with the answer.", icon=":material/delete:")
        elif error.status == 404:
            st.info(
                "This version of the document is not kept any more. Its quote was kept with the answer.", icon=":material/history:"
            )
        else:
            failed(error)
            st.caption("This is the quote as it was kept with the answer.")
            st.button("Try again", icon=":material/refresh:", key="source-again")
        st.html(in_place("", source.quote, ""))
        return
    except (KeyError, TypeError, AttributeError):
        st.warning("The document could not be read. This is the quote as it was kept with the answer.")
        st.html(in_place("", source.quote, ""))
        return
    if document is not None and document.get("version") != source.version:
        st.info("The document was replaced since. This is the version that the answer was given from.", icon=":material/history:")
    begun = begins == before and source.start <= len(before)
    st.html(in_place(begins if begun else f"… {begins}", text, after if ends else f"{after} …"))


def _ways_on(source: Source, document: dict[str, Any] | None) -> None:
    if document is None:
        return
    client, path = api(), f"/chat/documents/{source.document_id}/file"
    newer = document.get("version") != source.version
    with st.container(horizontal=True):
        st.download_button(
            "Download the newest version" if newer else "Download the file",
            # Fetched when it is clicked, in a thread that knows no visitor: the client is made here.
            lambda: client.download(path),
            file_name=str(document["filename"]),
            mime="application/octet-stream",
            icon=":material/download:",
            key="source-download",
            on_click="ignore",
        )
        if st.button("Open in Documents", icon=":material/description:", key="source-document"):
            dialogs.close()
            st.switch_page("views/documents.py", query_params={"document": source.document_id})
