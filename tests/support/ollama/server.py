"""The stand-in's socket, its routes, and what it remembers."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from tests.support.ollama.answers import json_answer, strike_whole, wants_stream
from tests.support.ollama.faults import Fault, FaultPlan
from tests.support.ollama.models import CHAT_MODEL, EMBEDDING_MODEL, InstalledModel, ModelShelf, RefusedError
from tests.support.ollama.pulling import Registry
from tests.support.ollama.replies import Script, grounded_reply, pieces_of
from tests.support.ollama.streams import Endpoint, ReplyStream
from tests.support.ollama.vectors import embedding
from tests.support.ollama.window import REFUSED_EMBEDDING, WindowExceededError, count_tokens, cut_to, fitted
from tests.support.openai_api.face import OpenAIFace

VERSION = "0.33.0"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request that arrived: its path, its JSON (empty where there was none), and in OpenAI's face its key and its trace."""

    path: str
    json: dict[str, Any]
    authorization: str | None = None
    traceparent: str | None = None


class StandInOllama:
    """An Ollama server without a model, on a loopback socket of the running loop: ``async with StandInOllama() as ollama``.

    ``reply`` is what it says: a text, a list of pieces, or a function of the request. ``interval`` is the seconds between pieces.
    ``port`` 0 takes a free one, and keeps it. ``streams_dropped`` counts the streams that the client left before their end.
    """

    def __init__(
        self,
        *,
        reply: Script = grounded_reply,
        models: Sequence[InstalledModel] = (CHAT_MODEL, EMBEDDING_MODEL),
        interval: float = 0.0,
        port: int = 0,
    ) -> None:
        self.reply = reply
        self.interval = interval
        self.requests: list[Recorded] = []
        self.streams_opened = 0
        self.streams_finished = 0
        self.streams_dropped = 0
        self._port = port
        self._faults = FaultPlan()
        self._shelf = ModelShelf(models)
        self.registry = Registry(self._shelf)
        self._drop = asyncio.Event()
        self._era = 0
        self._listening: asyncio.Server | None = None
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/", self._greet)
        app.router.add_get("/api/version", self._route(self._version))
        app.router.add_get("/api/tags", self._route(self._tags))
        app.router.add_get("/api/ps", self._route(self._ps))
        app.router.add_post("/api/show", self._route(self._show))
        app.router.add_post("/api/pull", self._route(self.registry.pull))
        app.router.add_delete("/api/delete", self._route(self.registry.delete))
        app.router.add_post("/api/embed", self._route(self._embed))
        app.router.add_post("/api/chat", self._route(self._chat))
        app.router.add_post("/api/generate", self._route(self._generate))
        OpenAIFace(self, self._shelf, self._faults, self._counted).add_to(app)
        # handler_cancellation: a client that leaves is noticed at once, even while the reply waits between two pieces.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.refuse()
        await self._runner.cleanup()

    def fail(self, path: str, fault: Fault, *, times: int | None = None) -> None:
        """Let requests of a path fail: so many of them, or all until ``clear``. Several faults strike one after the other."""
        self._faults.arm(path, fault, times)

    def clear(self, path: str | None = None) -> None:
        """Let a path, or everything, work again."""
        self._faults.clear(path)

    async def refuse(self) -> None:
        """Stop listening and break every connection, as a server that was killed."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        # What ends now was not dropped by a client.
        self._era += 1
        for connection in list(self._handlers.connections):
            if connection.transport is not None:
                connection.transport.abort()
        # The transports tell their handlers in the loop's next round.
        await asyncio.sleep(0)

    async def listen(self) -> None:
        """Listen, again on the same port after ``refuse``."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._handlers, "127.0.0.1", self._port, family=socket.AF_INET, backlog=1024)
        self._port = self._listening.sockets[0].getsockname()[1]

    async def dropped(self, count: int = 1, *, within: float = 30.0) -> None:
        """Return as soon as clients have left so many streams, and print how long that took; streams that end do not count.

        Raises:
            TimeoutError: They have not within so many seconds.
        """
        begun = monotonic()
        async with asyncio.timeout(within):
            while self.streams_dropped < count:
                self._drop.clear()
                await self._drop.wait()
        sys.stdout.write(f"\n{count} streams left by their clients, {monotonic() - begun:.2f} s after that was waited for\n")

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Be down inside the block."""
        await self.refuse()
        try:
            yield
        finally:
            await self.listen()

    @property
    def _handlers(self) -> web.Server:
        server = self._runner.server
        if server is None:
            raise RuntimeError("use it as: async with StandInOllama() as ollama")
        return server

    def _route(
        self, answer: Callable[[web.Request, dict[str, Any], Fault], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Record the request and let its fault strike, if that is a status; else answer."""

        async def handle(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            try:
                body = orjson.loads(raw) if raw else {}
            except orjson.JSONDecodeError:
                return json_answer({"error": "invalid character in the request body"}, 400)
            self.requests.append(Recorded(request.path, body))
            fault = self._faults.take(request.path)
            if fault.status is not None:
                return json_answer({"error": "a fault on demand"} if fault.body is None else fault.body, fault.status)
            if not wants_stream(request, body):
                await strike_whole(request, fault)
            try:
                return await answer(request, body, fault)
            except RefusedError as refusal:
                return json_answer({"error": refusal.sentence}, refusal.status)

        return handle

    async def _greet(self, request: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _version(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        return json_answer({"version": VERSION})

    async def _tags(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        return json_answer({"models": self._shelf.listed()})

    async def _ps(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        return json_answer({"models": self._shelf.running()})

    async def _show(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        return json_answer(self._shelf.find(body).shown())

    async def _embed(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.Response:
        model = self._shelf.find(body)
        # Unlike a chat, an embedding runs with all that the model has unless it is told otherwise.
        window = self._shelf.load(model, (body.get("options") or {}).get("num_ctx") or model.context_length)
        texts = body.get("input") or []
        texts = [texts] if isinstance(texts, str) else texts
        if any(count_tokens(text) > window for text in texts):
            if body.get("truncate") is False:
                raise RefusedError(400, REFUSED_EMBEDDING)
            texts = [cut_to(text, window) for text in texts]
        return json_answer(
            {
                "model": body["model"],
                "embeddings": [embedding(text, body.get("dimensions") or model.dimensions) for text in texts],
                "total_duration": 3_000_000,
                "load_duration": 1_000_000,
                "prompt_eval_count": sum(count_tokens(text) for text in texts),
            }
        )

    async def _chat(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        return await self._say("chat", request, body, fault, body.get("messages") or [])

    async def _generate(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        said = (("system", body.get("system")), ("user", body.get("prompt")))
        return await self._say("generate", request, body, fault, [{"role": role, "content": text} for role, text in said if text])

    async def _say(
        self, endpoint: Endpoint, request: web.Request, body: dict[str, Any], fault: Fault, messages: list[dict[str, Any]]
    ) -> web.StreamResponse:
        model = self._shelf.find(body, "completion", action=endpoint)
        options = body.get("options") or {}
        window = self._shelf.load(model, options.get("num_ctx"))
        if not messages:
            return json_answer(ReplyStream(endpoint, body["model"], [], prompt_tokens=0, room=0).whole(Fault(done_reason="load")))
        shift = body.get("shift") is not False
        try:
            kept, tokens = fitted(messages, window, truncate=body.get("truncate") is not False, shift=shift)
        except WindowExceededError as error:
            raise RefusedError(400, str(error)) from error
        asked = options.get("num_predict") or 0
        room = min(asked if asked > 0 else sys.maxsize, sys.maxsize if shift else window - tokens)
        pieces = pieces_of(self.reply, {**body, "messages": kept})
        reply = ReplyStream(endpoint, body["model"], pieces, prompt_tokens=tokens, room=room)
        if body.get("stream") is False:
            return json_answer(reply.whole(fault))
        return await self._counted(request, reply, fault)

    async def _counted(self, request: web.Request, reply: ReplyStream, fault: Fault) -> web.StreamResponse:
        era = self._era
        self.streams_opened += 1
        try:
            response = await reply.send(request, fault, self.interval)
        except (asyncio.CancelledError, ConnectionResetError):
            if era == self._era:
                self.streams_dropped += 1
                self._drop.set()
            raise
        self.streams_finished += 1
        return response
