"""What answers: a language model, or quotes."""

from dataclasses import dataclass
from time import monotonic
from typing import Literal

import streamlit as st

from ui.client import ApiError
from ui.parts.access import api
from ui.parts.understanding import understanding

Mode = Literal["model", "quotes", "quotes_meanwhile"]
QUOTES = "extractive"
"""The provider that needs no language model."""
KEPT_SECONDS = 30.0
SENTENCES: dict[Mode, str] = {
    "quotes": "No language model is connected, so answers quote the sentences of your documents that fit best, "
    "with their places. They say nothing in words of their own.",
    "quotes_meanwhile": "The language model does not answer right now. Until it does, answers quote the sentences of your "
    "documents that fit best, with their places.",
}


@dataclass(frozen=True, slots=True)
class _Known:
    mode: Mode
    until: float


def mode() -> Mode:
    """Return what answers a question that names no model; it is asked twice a minute at most.

    Raises:
        ApiError: The API does not tell.
    """
    known: _Known | None = st.session_state.get("mode")
    if known is None or known.until < monotonic():
        known = st.session_state.mode = _Known(_mode(), monotonic() + KEPT_SECONDS)
    return known.mode


def banner() -> None:
    """Say so where answers are only quotes. To ask may take seconds where a provider is away, so it is best called last.

    Where the API does not tell, nothing is said: whatever is wrong shows where it matters.
    """
    try:
        sentence = SENTENCES.get(mode())
    except ApiError:
        return
    if sentence is not None:
        st.info(sentence, icon=":material/format_quote:")


def _mode() -> Mode:
    with understanding():
        told = api().get("/ai/models")
        default = next((model["provider"] for model in told["models"] if model["default"]), None)
        if default is None and any(model["provider"] == QUOTES for model in told["models"]) and told["unavailable"]:
            return "quotes_meanwhile"
    return "quotes" if default == QUOTES else "model"
