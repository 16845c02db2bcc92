"""What the lines of Ollama's streams say."""

from typing import Any, Final

from backend.adapters.wire.failures import WireError, told_count
from backend.adapters.wire.thinking import ThinkingSplitter
from backend.ports.chat_model import Finish, Piece


class Lines:
    """Turns the lines of one stream into pieces. Models that Ollama does not know to reason write their reasoning into the text."""

    __slots__ = ("_splitter",)

    def __init__(self) -> None:
        self._splitter = ThinkingSplitter()

    def feed(self, line: dict[str, Any]) -> Piece | None:
        """Return what a line says, or ``None`` if it says nothing.

        Raises:
            WireError: It is an error, or no line of this protocol.
        """
        if "error" in line:
            raise WireError(f"an error in the stream: {line['error']}")
        # A chat has messages; what fills a gap is plain text.
        message = line.get("message") or {"content": line.get("response"), "thinking": line.get("thinking")}
        if not isinstance(message, dict):
            raise WireError("a message that is not an object")
        text, thinking = message.get("content") or "", message.get("thinking") or ""
        if not isinstance(text, str) or not isinstance(thinking, str):
            raise WireError("a message that is not text")
        if text:
            text, written = self._splitter.feed(text)
            thinking += written
        if line.get("done") is True:
            rest, unended = self._splitter.finish()
            reason: Final = "length" if line.get("done_reason") == "length" else "stop"
            counts = told_count(line.get("prompt_eval_count")), told_count(line.get("eval_count"))
            return Piece(text + rest, thinking + unended, Finish(reason, *counts))
        return Piece(text, thinking) if text or thinking else None
