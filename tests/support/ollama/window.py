"""How many tokens a text is here, and what Ollama does with a prompt that does not fit."""

import math
from collections.abc import Sequence
from typing import Any

DEFAULT_WINDOW = 4096

REFUSED_BY_RUNNER = "request ({tokens} tokens) exceeds the available context size ({window} tokens), try increasing it"
REFUSED_WITHOUT_SHIFT = (
    "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the context length "
    "in settings, or use a model with a longer context length"
)
REFUSED_EMBEDDING = "the input length exceeds the context length"


class WindowExceededError(Exception):
    """The prompt does not fit, and the request said that it must not be cut."""


def count_tokens(text: str) -> int:
    """Count four tokens for three words, and at least one for five characters."""
    return max(math.ceil(len(text.split()) * 4 / 3), math.ceil(len(text) / 5))


def fitted(messages: Sequence[dict[str, Any]], window: int, *, truncate: bool, shift: bool) -> tuple[list[dict[str, Any]], int]:
    """Return the messages that the model reads, and their tokens.

    As Ollama 0.33: with ``truncate`` the oldest messages go first, the system's and the last stay; if that is not enough and
    ``shift`` is allowed, about half of the last one's words are cut. Nothing tells the client.
    """
    kept = list(messages)
    if truncate:
        while _tokens(kept) > window and (oldest := _oldest_that_may_go(kept)) is not None:
            kept.pop(oldest)
    tokens = _tokens(kept)
    if tokens <= window:
        return kept, tokens
    if not truncate:
        raise WindowExceededError(REFUSED_BY_RUNNER.format(tokens=tokens, window=window))
    if not shift:
        raise WindowExceededError(REFUSED_WITHOUT_SHIFT)
    words = str(kept[-1].get("content", "")).split()
    room = max(window // 2 - _tokens(kept[:-1]), 0) * 3 // 4
    kept[-1] = {**kept[-1], "content": " ".join(words[len(words) - min(room, len(words)) :])}
    return kept, min(_tokens(kept), window)


def cut_to(text: str, window: int) -> str:
    """Return as many of the first words as fit, as ``/api/embed`` does in silence."""
    words = text.split()
    while words and count_tokens(" ".join(words)) > window:
        words.pop()
    return " ".join(words)


def _tokens(messages: Sequence[dict[str, Any]]) -> int:
    return sum(count_tokens(str(message.get("content", ""))) for message in messages)


def _oldest_that_may_go(messages: Sequence[dict[str, Any]]) -> int | None:
    return next((at for at, message in enumerate(messages[:-1]) if message.get("role") != "system"), None)
