"""The chat before its first question, and what stands over every chat where no language model answers."""

from time import monotonic
from typing import Any

import streamlit as st

from ui.client import ApiError
from ui.parts import asking
from ui.parts.access import api
from ui.parts.look import plain
from ui.parts.remarks import EXTRACTIVE

MOST = 4
KNOWN_FOR_SECONDS = 60
RETRIEVAL_ONLY = (
    "**Retrieval-only mode.** No language model is connected: answers are sentences quoted from your documents, with their places."
)


def greeting() -> None:
    """Invite to a first question."""
    st.title("What would you like to know?", anchor=False)
    if _documents():
        st.write("Answers come from your documents, each with the place where it is written.")
        _suggestions()
        return
    st.write("Begin with a document: drop files into the box below, or add them in Documents.")
    st.page_link("views/documents.py", label="Open Documents", icon=":material/description:")


def retrieval_only(messages: list[dict[str, Any]]) -> None:
    """Say so, where no language model answers."""
    answers = [message["model"] for message in messages if message["role"] == "assistant" and message["model"]]
    if answers[-1] == EXTRACTIVE if answers else _extractive():
        st.info(RETRIEVAL_ONLY, icon=":material/format_quote:")


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


def _extractive() -> bool:
    """Whether the model that answers whoever names none is no language model. That is asked once a minute."""
    known, since = st.session_state.get("extractive", (False, None))
    if since is None or monotonic() - since > KNOWN_FOR_SECONDS:
        try:
            told = api().get("/ai/models")
        except ApiError:
            return bool(known)
        models = told.get("models") if isinstance(told, dict) else None
        known = any(isinstance(model, dict) and model.get("default") and model.get("id") == EXTRACTIVE for model in models or [])
        st.session_state.extractive = (known, monotonic())
    return bool(known)
