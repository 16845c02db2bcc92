"""What the chunks of langchain's streams say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from backend.adapters.wire.failures import told_count
from backend.adapters.wire.thinking import ThinkingSplitter
from backend.ports.chat_model import Finish, FinishReason, Piece

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

_REASON_NAMES: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason")
_REASONS: Final[dict[str, FinishReason]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
}


class ReplyChunks:
    """Turns the chunks of one stream into pieces, and keeps what they say of its end."""

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self._counts: tuple[int, int] | None = None
        self._splitter = ThinkingSplitter()

    def feed(self, chunk: "AIMessageChunk") -> Piece | None:
        """Return what a chunk adds to the reply, or ``None`` if that is nothing."""
        if (usage := chunk.usage_metadata) is not None:
            read, said = self._counts or (0, 0)
            # Chunks add up, as langchain's own messages do.
            self._counts = (read + usage["input_tokens"], said + usage["output_tokens"])
        for name in _REASON_NAMES:
            if isinstance(reason := chunk.response_metadata.get(name), str) and reason:
                self.reason = _REASONS.get(reason.lower(), "stop")
        text, thinking = _said(chunk)
        if text:
            text, written = self._splitter.feed(text)
            thinking += written
        return Piece(text, thinking) if text or thinking else None

    def finish(self) -> Piece:
        """Return the last piece."""
        text, thinking = self._splitter.finish()
        read, said = self._counts or (None, None)
        return Piece(text, thinking, Finish(self.reason or "stop", told_count(read), told_count(said)))


def _said(chunk: "AIMessageChunk") -> tuple[str, str]:
    """Return the text and the reasoning of a chunk."""
    if isinstance(chunk.content, str):
        return chunk.content, str(chunk.additional_kwargs.get("reasoning_content") or "")
    blocks: list[Mapping[str, Any]] = [dict(block) for block in chunk.content_blocks]
    text = "".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")
    return text, "".join(str(block.get("reasoning") or "") for block in blocks if block.get("type") == "reasoning")
