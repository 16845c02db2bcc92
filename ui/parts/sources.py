"""Sources: numbered chips, and the passage behind each in its place."""

from html import escape
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api, failed

AROUND = 700
"""Characters that are shown before and after a quote."""


def chips(message_id: str, sources: list[dict[str, Any]]) -> None:
    """Show the sources that the answer cites; each opens its passage."""
    cited = [source for source in sources if source["cited"]]
    if not cited:
        return
    with st.container(horizontal=True, gap="small"):
        for source in cited:
            label = f"{source['marker']} · {_place(source)}"
            if st.button(label, key=f"source-{message_id}-{source['marker']}", help=source["quote"][:300]):
                passage(source)


def _place(source: dict[str, Any]) -> str:
    title = source["title"] if len(source["title"]) <= 40 else f"{source['title'][:39]}…"
    return title if source["page"] is None else f"{title}, p. {source['page']}"


@st.dialog("Source", width="large")
def passage(source: dict[str, Any]) -> None:
    """Show a quote in its place."""
    st.subheader(f"[{source['marker']}] {source['title']}", anchor=False)
    where = [] if source["page"] is None else [f"Page {source['page']}"]
    if source["heading"]:
        where.append(source["heading"])
    if where:
        st.caption(" · ".join(where))
    try:
        place = f"/chat/documents/{source['document_id']}/text"
        found = api().get(place, start=source["start"], end=source["end"], version=source["version"], context=AROUND)
    except ApiError as error:
        failed(error)
        st.html(f'<div class="passage"><mark>{escape(source["quote"])}</mark></div>')
        return
    before, after = escape(found.get("before") or ""), escape(found.get("after") or "")
    st.html(f'<div class="passage" tabindex="0">{before}<mark>{escape(found["text"])}</mark>{after}</div>')
