"""The routes of OpenAI's API on the stand-in, and the two of llama.cpp's own that are asked for."""

import base64
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.support.ollama.answers import json_answer, strike_whole
from tests.support.ollama.faults import Fault, FaultPlan
from tests.support.ollama.models import ModelShelf, RefusedError
from tests.support.ollama.replies import pieces_of
from tests.support.ollama.streams import ReplyStream
from tests.support.ollama.vectors import embedding
from tests.support.ollama.window import DEFAULT_WINDOW, count_tokens
from tests.support.openai_api.streams import CREATED, InfillReply, OpenAIReply

if TYPE_CHECKING:
    from tests.support.ollama.server import StandInOllama

Answer = Callable[[web.Request, dict[str, Any], Fault], Awaitable[web.StreamResponse]]
Counted = Callable[[web.Request, ReplyStream, Fault], Awaitable[web.StreamResponse]]

TOO_LONG = "This model's maximum context length is {window} tokens. However, your messages resulted in {tokens} tokens."


class OpenAIFace:
    """Speaks OpenAI's format for a stand-in, whose script, models, faults and counters it shares.

    What is over the window it refuses, as OpenAI, vLLM and llama.cpp do; Ollama's own face cuts it in silence.
    """

    def __init__(self, host: "StandInOllama", shelf: ModelShelf, faults: FaultPlan, counted: Counted) -> None:
        self._host = host
        self._shelf = shelf
        self._faults = faults
        self._counted = counted

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/v1/models", self._route(self._models))
        app.router.add_post("/v1/chat/completions", self._route(self._chat))
        app.router.add_post("/v1/completions", self._route(self._complete))
        app.router.add_post("/v1/embeddings", self._route(self._embed))
        app.router.add_get("/props", self._route(self._props))
        app.router.add_post("/infill", self._route(self._infill))

    def _route(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            from tests.support.ollama.server import Recorded

            raw = await request.read()
            body = orjson.loads(raw) if raw else {}
            told = (request.headers.get("Authorization"), request.headers.get("traceparent"))
            self._host.requests.append(Recorded(request.path, body, *told))
            fault = self._faults.take(request.path)
            if fault.status is not None:
                response = json_answer(problem("a fault on demand") if fault.body is None else fault.body, fault.status)
                response.headers.update({"Retry-After": fault.retry_after} if fault.retry_after else {})
                return response
            if body.get("stream") is not True:
                await strike_whole(request, fault)
            try:
                return await answer(request, body, fault)
            except RefusedError as refusal:
                code = "model_not_found" if refusal.status == 404 else None
                return json_answer(problem(refusal.sentence, code), refusal.status)

        return handle

    async def _models(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        names = [model["name"] for model in self._shelf.listed()]
        entries = [{"id": name, "object": "model", "created": CREATED, "owned_by": "library"} for name in names]
        return json_answer({"object": "list", "data": entries})

    async def _chat(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        messages = body.get("messages") or []
        tokens = sum(count_tokens(str(message.get("content", ""))) for message in messages)
        return await self._say(request, body, fault, OpenAIReply, tokens, chat=True)

    async def _complete(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        tokens = count_tokens(f"{body.get('prompt', '')} {body.get('suffix') or ''}")
        return await self._say(request, body, fault, OpenAIReply, tokens, chat=False)

    async def _infill(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        tokens = count_tokens(f"{body.get('input_prefix', '')} {body.get('input_suffix', '')}")
        return await self._say(request, body, fault, InfillReply, tokens, chat=False)

    async def _props(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        return json_answer({"default_generation_settings": {"n_ctx": DEFAULT_WINDOW}, "total_slots": 1})

    async def _say(
        self, request: web.Request, body: dict[str, Any], fault: Fault, kind: type[OpenAIReply], tokens: int, *, chat: bool
    ) -> web.StreamResponse:
        model = self._shelf.find(body, "completion", action="chat")
        window = min(DEFAULT_WINDOW, model.context_length)
        if tokens > window:
            sentence = TOO_LONG.format(window=window, tokens=tokens)
            return json_answer(problem(sentence, "context_length_exceeded"), 400)
        room = body.get("max_completion_tokens") or body.get("max_tokens") or body.get("n_predict") or sys.maxsize
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        pieces = pieces_of(self._host.reply, body)
        reply = kind(body["model"], pieces, prompt_tokens=tokens, room=room, usage=usage, chat=chat)
        if body.get("stream") is not True:
            return json_answer(reply.whole(fault))
        return await self._counted(request, reply, fault)

    async def _embed(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        model = self._shelf.find(body)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if (longest := max(map(count_tokens, texts), default=0)) > model.context_length:
            return json_answer(problem(TOO_LONG.format(window=model.context_length, tokens=longest)), 400)
        vectors = [embedding(text, body.get("dimensions") or model.dimensions) for text in texts]
        base64_wanted = body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": packed(vector) if base64_wanted else vector}
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(map(count_tokens, texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return json_answer({"object": "list", "data": data, "model": body["model"], "usage": usage})


def packed(vector: list[float]) -> str:
    """Return a vector as OpenAI sends it on request: float32, little-endian, in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def problem(sentence: str, code: str | None = None) -> dict[str, Any]:
    """Return an error in OpenAI's shape."""
    return {"error": {"message": sentence, "type": "invalid_request_error", "param": None, "code": code}}
