"""Replies in OpenAI's words."""

from collections.abc import Sequence
from typing import Any

import orjson

from tests.support.ollama.faults import Fault
from tests.support.ollama.replies import ReplyPiece, Thinking
from tests.support.ollama.streams import ReplyStream
from tests.support.ollama.window import count_tokens

CREATED = 1_780_000_000


class OpenAIReply(ReplyStream):
    """One reply of ``/v1/chat/completions`` or ``/v1/completions`` on its way to the client."""

    content_type = "text/event-stream"
    error: object = {"error": {"message": "an error was encountered while running the model", "type": "api_error", "code": None}}

    def __init__(
        self, model: str, pieces: Sequence[ReplyPiece], *, prompt_tokens: int, room: int, usage: bool = False, chat: bool = True
    ) -> None:
        super().__init__("chat" if chat else "generate", model, pieces, prompt_tokens=prompt_tokens, room=room)
        self._usage = usage

    def whole(self, fault: Fault) -> dict[str, Any]:
        """See ``ReplyStream.whole``."""
        text = "".join(piece for piece in self._pieces if isinstance(piece, str))
        thinking = "".join(piece.text for piece in self._pieces if isinstance(piece, Thinking))
        said = {"message": {"role": "assistant", **_said(text, thinking)}} if self._endpoint == "chat" else {"text": text}
        choice = {"index": 0, **said, "finish_reason": fault.done_reason or self._reason, "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._counts()}

    def _framed(self, line: bytes) -> bytes:
        return b"data: " + line + b"\n\n"

    def _ending(self, fault: Fault) -> list[bytes]:
        last = self._chunk("", "", fault.done_reason or self._reason)
        counts = [{**self._head(), "choices": [], "usage": self._counts()}] if self._usage else []
        return [*map(orjson.dumps, [last, *counts]), b"[DONE]"]

    def _line(self, piece: ReplyPiece) -> dict[str, Any]:
        return self._chunk("", piece.text, None) if isinstance(piece, Thinking) else self._chunk(piece, "", None)

    def _chunk(self, text: str, thinking: str, reason: str | None) -> dict[str, Any]:
        said = {"delta": {"role": "assistant", **_said(text, thinking)}} if self._endpoint == "chat" else {"text": text}
        return {**self._head(), "choices": [{"index": 0, **said, "finish_reason": reason}]}

    def _head(self, kind: str = "chat.completion.chunk") -> dict[str, Any]:
        kind = kind if self._endpoint == "chat" else "text_completion"
        return {"id": "chatcmpl-1", "object": kind, "created": CREATED, "model": self._model, "system_fingerprint": "fp_ollama"}

    def _counts(self) -> dict[str, int]:
        said = count_tokens("".join(piece.text if isinstance(piece, Thinking) else piece for piece in self._pieces))
        return {"prompt_tokens": self._prompt_tokens, "completion_tokens": said, "total_tokens": self._prompt_tokens + said}


class InfillReply(OpenAIReply):
    """One reply of llama.cpp's ``/infill``."""

    def _line(self, piece: ReplyPiece) -> dict[str, Any]:
        return {"index": 0, "content": piece.text if isinstance(piece, Thinking) else piece, "stop": False}

    def _ending(self, fault: Fault) -> list[bytes]:
        counts = self._counts()
        last = {"content": "", "stop": True, "stop_type": "limit" if (fault.done_reason or self._reason) == "length" else "eos"}
        tokens = {"tokens_evaluated": counts["prompt_tokens"], "tokens_predicted": counts["completion_tokens"]}
        return [orjson.dumps(last | tokens)]


def _said(text: str, thinking: str) -> dict[str, str]:
    return {"content": text, **({"reasoning": thinking} if thinking else {})}
