"""The chat before its first question."""

import streamlit as st

from ui.client import ApiError
from ui.parts import asking
from ui.parts.access import api
from ui.parts.look import plain

MOST = 4


def greeting() -> None:
    """Invite to a first question."""
    st.title("What would you like to know?", anchor=False)
    if _documents():
        st.write("Answers come from your documents, each with the place where it is written.")
        _suggestions()
        return
    st.write("Begin with a document: drop files into the box below, or add them on their own page.")
    st.page_link("views/documents.py", label="Open Documents", icon=":material/description:")


def _documents() -> bool:
    """Whether there are any; where that cannot be told, nobody is sent to look for some."""
    try:
        told = api().get("/chat/documents", limit=1)
    except ApiError:
        return True
    return not isinstance(told, dict) or bool(told.get("items", True))


def _suggestions() -> None:
    try:
        told = api().get("/chat/suggestions", limit=MOST)
    except ApiError:
        return
    items = told.get("items") if isinstance(told, dict) else None
    questions = [item["question"] for item in items or [] if isinstance(item, dict) and isinstance(item.get("question"), str)]
    for number, question in enumerate(dict.fromkeys(questions[:MOST])):
        st.button(
            plain(question),
            key=f"suggestion-{number}",
            icon=":material/search:",
            width="stretch",
            on_click=asking.ask,
            args=(question,),
        )
