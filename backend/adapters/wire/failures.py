"""What may go wrong between us and another server, and what that server said about it."""

import re
from collections.abc import Sequence
from typing import Final

import aiohttp
import orjson


class WireError(Exception):
    """The other side answered, but not in the protocol that it speaks. For logs only: the text may quote what it sent."""


WIRE_FAILURES: Final = (aiohttp.ClientError, OSError, WireError)
"""Everything that an exchange may raise when the other side is at fault; ``TimeoutError`` is an ``OSError``.

Adapters catch this tuple at the call and translate it into the errors of their port.
"""

NO_FAULT_OF_THE_REQUEST: Final = frozenset({401, 402, 403, 408, 429})
"""Statuses below 500 that tell of keys, accounts and load: other requests fare the same, and this one may succeed later."""

# What a column of 32 bits holds.
_MOST_TOKENS: Final = (1 << 31) - 1
_LENGTH_WORDS: Final = (
    "context length",
    "context_length",
    "context size",
    "context window",
    "too long",
    "too large",
    "maximum input length",
    "max_model_len",
    "exceeds the maximum number of tokens",
    "`max_new_tokens` must be <=",
)
# OpenAI, of a reply that may not be that long, whatever the prompt.
_NOT_THE_PROMPT: Final = "supports at most"

_TOLD_WINDOWS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"available context size \((\d[\d,]*) tokens\)",
        r"maximum context length (?:is|of) (\d[\d,]*)",
        r"max_model_len\D{0,12}(\d[\d,]*)",
        r"tokens > (\d[\d,]*) maximum",
        r"must be <= (\d[\d,]*)",
        r"context (?:length|window|size)[^.\d]{0,40}?(\d[\d,]*)",
    )
)
_TOLD_TOKENS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"request \((\d[\d,]*) tokens\)",
        r"\((\d[\d,]*) in the messages",
        r"messages resulted in (\d[\d,]*) tokens",
        r"(?:contains|has|passed)(?: at least)? (\d[\d,]*) (?:input )?tokens",
        r"(\d[\d,]*) tokens >",
        r"given: (\d[\d,]*) `inputs`",
        r"you requested (\d[\d,]*) tokens",
    )
)


def told_count(value: object) -> int | None:
    """Return a number of tokens that the other side told, or ``None`` if it is none that can be."""
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def refusal_text(body: bytes) -> str:
    """Return the sentence in a refusal's body: ``{"error": text}`` or ``{"error": {"message": text}}``, else ``""``."""
    try:
        error = orjson.loads(body)["error"]
        text = error["message"] if isinstance(error, dict) else error
    except (ValueError, TypeError, KeyError):
        return ""
    return text if isinstance(text, str) else ""


def is_about_length(refusal: str) -> bool:
    """Tell whether a refusal says that the input is longer than the model's context.

    Wordings of Ollama 0.33: "request (N tokens) exceeds the available context size (M tokens) ...", "the prompt is longer than the
    context length currently available ..." and "the input length exceeds the context length". OpenAI and vLLM: "This model's
    maximum context length is N tokens. However, ..."; llama.cpp: "the request exceeds the available context size"; Hugging Face's
    TGI: "`inputs` tokens + `max_new_tokens` must be <= N"; Anthropic: "prompt is too long: N tokens > M maximum".
    """
    words = refusal.lower()
    return any(phrase in words for phrase in _LENGTH_WORDS) and _NOT_THE_PROMPT not in words


def told_lengths(refusal: str) -> tuple[int | None, int | None]:
    """Return how many tokens of a prompt a refusal counted, and how many may be; ``None`` where it does not say."""
    return _first_number(_TOLD_TOKENS, refusal), _first_number(_TOLD_WINDOWS, refusal)


def is_quick(error: BaseException) -> bool:
    """Tell whether a failure came at once, as from a server that restarts, so that another try costs little: no deadline passed."""
    broken = isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | ConnectionError)
    return broken and not isinstance(error, TimeoutError | aiohttp.ClientSSLError)


def _first_number(patterns: Sequence[re.Pattern[str]], text: str) -> int | None:
    found = next((told[1].replace(",", "") for pattern in patterns if (told := pattern.search(text))), "")
    return told_count(int(found)) if 0 < len(found) < 20 else None
