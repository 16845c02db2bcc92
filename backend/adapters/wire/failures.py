"""What may go wrong between us and another server, and what that server said about it."""

from typing import Final

import aiohttp
import orjson


class WireError(Exception):
    """The other side answered, but not in the protocol that it speaks. For logs only: the text may quote what it sent."""


WIRE_FAILURES: Final = (aiohttp.ClientError, OSError, WireError)
"""Everything that an exchange may raise when the other side is at fault; ``TimeoutError`` is an ``OSError``.

Adapters catch this tuple at the call and translate it into the errors of their port.
"""

_LENGTH_WORDS: Final = ("context length", "context size", "context window", "too long", "too large")


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
    context length currently available ..." and "the input length exceeds the context length".
    """
    words = refusal.lower()
    return any(phrase in words for phrase in _LENGTH_WORDS)
