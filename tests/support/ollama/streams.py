"""Sends a reply, and strikes where a fault says so."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

import orjson
from aiohttp import web

from tests.support.ollama.faults import Fault
from tests.support.ollama.replies import ReplyPiece, Thinking
from tests.support.ollama.window import count_tokens

Endpoint = Literal["chat", "generate"]


class ReplyStream:
    """One reply of ``/api/chat`` or ``/api/generate`` on its way to the client."""

    content_type = "application/x-ndjson"
    error: object = {"error": "an error was encountered while running the model"}

    def __init__(self, endpoint: Endpoint, model: str, pieces: Sequence[ReplyPiece], *, prompt_tokens: int, room: int) -> None:
        self._endpoint = endpoint
        self._model = model
        # A piece counts as one token, as far as the model's own limit is concerned.
        self._pieces = pieces[:room]
        self._reason = "stop" if len(pieces) <= room else "length"
        self._prompt_tokens = prompt_tokens

    async def send(self, request: web.Request, fault: Fault, interval: float) -> web.StreamResponse:
        """Write the lines. The headers go out with the first one, as Ollama does it."""
        response = web.StreamResponse(headers={"Content-Type": self.content_type})
        wait = interval if fault.interval is None else fault.interval
        for at, piece in enumerate(self._pieces):
            await asyncio.sleep(wait)
            if await self._struck(at, request, response, fault):
                return response
            await self._write(request, response, orjson.dumps(self._line(piece)))
        if await self._struck(len(self._pieces), request, response, fault):
            return response
        if not fault.without_done:
            for line in self._ending(fault):
                await self._write(request, response, line)
        elif not response.prepared:
            await response.prepare(request)
        await response.write_eof()
        return response

    def whole(self, fault: Fault) -> dict[str, Any]:
        """Return the answer of a request that did not ask for a stream."""
        text = "".join(piece for piece in self._pieces if isinstance(piece, str))
        thinking = "".join(piece.text for piece in self._pieces if isinstance(piece, Thinking))
        return {**self._last_line(fault), **self._content(text, thinking)}

    def _framed(self, line: bytes) -> bytes:
        return line + b"\n"

    def _ending(self, fault: Fault) -> list[bytes]:
        return [orjson.dumps(self._last_line(fault))]

    def _line(self, piece: ReplyPiece) -> dict[str, Any]:
        text, thinking = ("", piece.text) if isinstance(piece, Thinking) else (piece, "")
        return {**self._head(), **self._content(text, thinking), "done": False}

    def _last_line(self, fault: Fault) -> dict[str, Any]:
        said = "".join(piece.text if isinstance(piece, Thinking) else piece for piece in self._pieces)
        line = {
            **self._head(),
            **self._content("", ""),
            "done": True,
            "done_reason": fault.done_reason or self._reason,
            "total_duration": 5_000_000,
            "load_duration": 1_000_000,
            "prompt_eval_count": self._prompt_tokens,
            "prompt_eval_duration": 2_000_000,
            "eval_count": count_tokens(said),
            "eval_duration": 2_000_000,
        }
        return line if self._endpoint == "chat" else {**line, "context": [1, 2, 3]}

    def _head(self) -> dict[str, Any]:
        return {"model": self._model, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}

    def _content(self, text: str, thinking: str) -> dict[str, Any]:
        said = {"thinking": thinking} if thinking else {}
        if self._endpoint == "chat":
            return {"message": {"role": "assistant", "content": text, **said}}
        return {"response": text, **said}

    async def _struck(self, at: int, request: web.Request, response: web.StreamResponse, fault: Fault) -> bool:
        """Let the fault happen here, if this is its place; tell whether the reply ends with it."""
        if fault.garbage_after == at:
            await self._write(request, response, b'{"model": <garbage>')
        if fault.hang_after == at:
            await asyncio.Event().wait()
        if fault.cut_after == at:
            cut(request)
        if fault.error_after == at:
            await self._write(request, response, orjson.dumps(self.error))
            await response.write_eof()
            return True
        return False

    async def _write(self, request: web.Request, response: web.StreamResponse, line: bytes) -> None:
        if not response.prepared:
            await response.prepare(request)
        await response.write(self._framed(line))


def cut(request: web.Request) -> NoReturn:
    """Break the connection, as a server that dies does."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionAbortedError("a fault on demand")
