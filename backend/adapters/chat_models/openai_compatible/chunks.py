"""What the events of a stream say."""

from typing import Any, Final

from backend.adapters.wire.failures import WireError, told_count
from backend.adapters.wire.json_objects import json_object
from backend.adapters.wire.thinking import ThinkingSplitter
from backend.ports.chat_model import Finish, FinishReason, Piece

DONE: Final = b"[DONE]"

# Words of OpenAI and of those who speak like it; every other one is an end of the model's own.
_REASONS: Final[dict[str, FinishReason]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "refusal": "content_filter",
}
_FAILED: Final = {"error", "abort", "insufficient_system_resource"}


class StreamedError(WireError):
    """An error in the stream, on a 200; ``answer`` is the object that came."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(f"an error in the stream: {str(answer)[:200]}")
        self.answer = answer


class Chunks:
    """Turns the events of one stream into pieces, and keeps what they say of its end."""

    __slots__ = ("_completion_tokens", "_prompt_tokens", "_reason", "_splitter", "done")

    def __init__(self) -> None:
        self.done = False
        self._reason: FinishReason | None = None
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._splitter = ThinkingSplitter()

    @property
    def ended(self) -> bool:
        """Whether the provider said that the reply is over: what may follow are counts."""
        return self.done or self._reason is not None

    def feed(self, data: bytes) -> Piece | None:
        """Return what an event adds to the reply, or ``None`` if that is nothing.

        Raises:
            WireError: It is no event of this protocol, or an error.
        """
        if data == DONE:
            self.done = True
            return None
        chunk = json_object(data, "an event")
        if chunk.get("error"):
            raise StreamedError(chunk)
        if isinstance(usage := chunk.get("usage"), dict):
            self._prompt_tokens = told_count(usage.get("prompt_tokens"))
            self._completion_tokens = told_count(usage.get("completion_tokens"))
        choices = chunk.get("choices") or []
        if not choices:
            return self._infilled(chunk) if "content" in chunk else None
        if not isinstance(choices, list) or not isinstance(choice := choices[0], dict):
            raise WireError("choices that are no list of objects")
        self._note(choice.get("finish_reason"))
        delta = choice.get("delta")
        if delta is None:
            return self._piece(choice.get("text"), None)
        if not isinstance(delta, dict):
            raise WireError("a delta that is not an object")
        return self._piece(delta.get("content") or delta.get("refusal"), delta.get("reasoning_content") or delta.get("reasoning"))

    def finish(self) -> Piece:
        """Return the last piece.

        Raises:
            WireError: The provider never said that the reply is over.
        """
        if not self.ended:
            raise WireError("the stream ended without a finish reason")
        text, thinking = self._splitter.finish()
        return Piece(text, thinking, Finish(self._reason or "stop", self._prompt_tokens, self._completion_tokens))

    def _piece(self, text: object, reasoning: object) -> Piece | None:
        said, thought = text or "", reasoning or ""
        if not isinstance(said, str) or not isinstance(thought, str):
            raise WireError("a delta that is not text")
        if said:
            said, thinking = self._splitter.feed(said)
            thought += thinking
        return Piece(said, thought) if said or thought else None

    def _note(self, reason: object) -> None:
        # An empty one is sent, with every event, by servers that have no null.
        if reason is None or reason == "":
            return
        if not isinstance(reason, str) or reason in _FAILED:
            raise WireError(f"the reply ended with {reason!r}")
        self._reason = _REASONS.get(reason.lower(), "stop")

    def _infilled(self, chunk: dict[str, Any]) -> Piece | None:
        """Read an event of llama.cpp's own endpoint for gaps."""
        if chunk.get("stop") is True:
            self._reason = "length" if chunk.get("stop_type") == "limit" else "stop"
            self._prompt_tokens = told_count(chunk.get("tokens_evaluated"))
            self._completion_tokens = told_count(chunk.get("tokens_predicted"))
        return self._piece(chunk["content"], None)
