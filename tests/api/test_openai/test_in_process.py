"""The door in this process, with a scripted model: what only shows from both sides."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import openai
import pytest
from openai import AsyncOpenAI
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.api.completions.response import CompletionStream
from backend.api.completions.saying import Plain
from backend.core.config import Settings, plain_url
from backend.core.values.user import Caller, Origin
from backend.main import create_app
from backend.ports.chat_model import Generation, Piece, Prompt, Turn
from backend.ports.embedder import Embedder
from backend.services.generating.reply import Wanted
from backend.services.registry import Services
from tests.api.test_openai.conftest import client_of
from tests.api.test_openai.test_errors import MODELS, told
from tests.api.test_openai.test_plain import HELLO
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
from tests.support.web_server import web_server


@dataclass(frozen=True, slots=True)
class Door:
    """The services behind it, somebody, and their client."""

    services: Services
    owner_id: UUID
    client: AsyncOpenAI


@asynccontextmanager
async def client_for(app: ASGIApp, key: str) -> AsyncIterator[AsyncOpenAI]:
    async with web_server(app, HttpToolsProtocol) as server, client_of(f"http://127.0.0.1:{server.port}", key) as client:
        yield client


@asynccontextmanager
async def door(
    application: ApplicationFactory, model: ScriptedChatModel, *, embedder: Embedder | None = None, **settings: object
) -> AsyncIterator[Door]:
    async with application(chat_model=model, embedder=embedder, settings=settings) as running:
        app = create_app(Settings(_env_file=None))
        app.state.services = running.services
        owner_id = await registered(running.services, "alice")
        caller = Caller(user_id=owner_id, role="user", tier="free", sign_in_id=owner_id)
        _, key = await running.services.keys.create(
            caller, name="a program", scopes=["chat"], document_ids=None, expires_at=None, origin=Origin()
        )
        async with client_for(app, key) as client:
            yield Door(running.services, owner_id, client)


async def read(stream: openai.AsyncStream[openai.types.chat.ChatCompletionChunk]) -> str:
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


@MODELS
async def test_how_to_generate_gets_to_the_model(application: ApplicationFactory, model: str) -> None:
    scripted = ScriptedChatModel(default_model="llama3.2:1b", writes=True)
    async with door(application, scripted) as opened:
        await opened.client.chat.completions.create(
            model=model,
            messages=HELLO,
            temperature=0.5,
            top_p=0.9,
            seed=7,
            stop="END",
            max_tokens=99,
            reasoning_effort="minimal",
        )

    expected = Generation("llama3.2:1b", 8192, 99, 0.5, top_p=0.9, seed=7, stop=("END",), think=False)
    assert scripted.options[-1] == expected


async def test_a_shape_gets_to_the_model(application: ApplicationFactory) -> None:
    scripted = ScriptedChatModel(writes=True)
    schema: dict[str, object] = {"type": "object", "properties": {"a": {"type": "string"}}}
    async with door(application, scripted) as opened:
        ask = opened.client.chat.completions.create
        await ask(model="m", messages=HELLO, response_format={"type": "json_object"})
        await ask(
            model="m",
            messages=HELLO,
            response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
            stop=["a", "b"],
        )
        await ask(model="m", messages=HELLO, response_format={"type": "text"})

    assert [options.shape for options in scripted.options] == [{}, schema, None]
    assert [options.stop for options in scripted.options] == [(), ("a", "b"), ()]


class Replaced(ScriptedChatModel):
    """Another model writes than the one that was asked."""

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        first: str | None = "other/model"
        async for piece in super().stream(prompt, options):
            yield replace(piece, model=first)
            first = None


@MODELS
async def test_the_answer_says_who_wrote_it(application: ApplicationFactory, model: str) -> None:
    async with door(application, Replaced(["One ", "two."], writes=True)) as opened:
        whole = await opened.client.chat.completions.create(model=model, messages=HELLO)
        stream = await opened.client.chat.completions.create(model=model, messages=HELLO, stream=True)
        assert {chunk.model async for chunk in stream} == {whole.model} == {"other/model"}


@MODELS
async def test_the_tokens_and_the_answers_of_a_tier_are_the_limit(
    application: ApplicationFactory, database: Database, model: str
) -> None:
    going = asyncio.Event()
    scripted = ScriptedChatModel(["One ", going, "two."], writes=True)
    connection = await asyncpg.connect(plain_url(database.owner_url))
    await connection.execute("update tiers set concurrent_streams = 1, tokens_per_day = 2 where name = 'free'")
    await connection.close()
    async with door(application, scripted, limits_enabled=True) as opened:
        ask = opened.client.chat.completions.create
        running = await ask(model=model, messages=HELLO, stream=True)
        with pytest.raises(openai.RateLimitError) as busy:
            await ask(model=model, messages=HELLO)
        assert told(busy.value) == ("rate_limit_error", "rate_limited", None)
        assert busy.value.response.headers["retry-after"] == "1"
        going.set()
        assert await read(running) == "One two."

        with pytest.raises(openai.RateLimitError) as spent:
            await ask(model=model, messages=HELLO)
        assert told(spent.value) == ("insufficient_quota", "quota_exceeded", None)
        with pytest.raises(openai.RateLimitError) as embedding:
            await opened.client.embeddings.create(model="docent", input="x")
        assert told(embedding.value) == ("insufficient_quota", "quota_exceeded", None)


@MODELS
async def test_a_defect_says_nothing_and_a_server_that_stops_breaks_its_streams(
    application: ApplicationFactory, model: str
) -> None:
    scripted = ScriptedChatModel([RuntimeError("a secret")], ["One ", asyncio.Event()], writes=True)
    async with door(application, scripted) as opened:
        with pytest.raises(openai.InternalServerError) as defect:
            await opened.client.chat.completions.create(model=model, messages=HELLO)
        assert (defect.value.status_code, *told(defect.value)) == (500, "server_error", "internal", None)
        assert "secret" not in str(defect.value)

        stream = await opened.client.chat.completions.create(model=model, messages=HELLO, stream=True)
        await opened.services.answering.drain(0)
        await opened.services.generating.drain(0)
        with pytest.raises(openai.APIError) as stopped:
            await read(stream)
        assert told(stopped.value) == ("server_error", "server_stopping", None)


async def test_a_defect_of_the_server_itself_has_the_same_shape() -> None:
    async with client_for(create_app(Settings(_env_file=None)), "dk_any") as client:
        with pytest.raises(openai.InternalServerError) as defect:
            await client.models.list()

    assert (defect.value.status_code, *told(defect.value)) == (500, "server_error", "internal", None)


async def test_clients_skip_what_keeps_the_line_alive(application: ApplicationFactory) -> None:
    beaten = asyncio.Event()
    async with door(application, ScriptedChatModel(["One ", beaten, "two."])) as opened:
        prompt = Prompt((Turn("user", "Hello."),), "Hello.")

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            reply = await opened.services.generating.begin(Wanted(opened.owner_id, prompt))
            stream = CompletionStream(Plain(reply, streamed=True), include_usage=False, heartbeat_seconds=0.01)
            await stream(scope, receive, noticing(send, beaten))

        async with client_for(app, "any") as client:
            assert await read(await client.chat.completions.create(model="m", messages=HELLO, stream=True)) == "One two."


def noticing(send: Send, beaten: asyncio.Event) -> Callable[[Message], Awaitable[None]]:
    async def sent(message: Message) -> None:
        await send(message)
        if message.get("body", b"").startswith(b":"):
            beaten.set()

    return sent
