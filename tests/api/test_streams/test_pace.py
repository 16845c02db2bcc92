"""The stream against a client that is played by the test, where the socket's buffers would hide what happens."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from starlette.types import Message

from backend.adapters.chat_models.scripted import ScriptedChatModel, Step
from backend.api.sse import HEARTBEAT, EventStream
from backend.core.values.chat import Question
from backend.ports.chat_model import Finish, Generation, Piece, Prompt
from backend.services.answering.events import Failed
from backend.services.answering.turn import Turn
from backend.services.channel import LIMIT
from backend.services.registry import Services
from tests.conftest import ApplicationFactory, registered


class Watched(list[Step]):
    """A reply that counts how far it was read."""

    said = 0

    def __iter__(self) -> Iterator[Step]:
        for step in super().__iter__():
            self.said += 1
            yield step


async def asked(services: Services) -> Turn:
    return await services.chat.ask(await registered(services, "alice"), Question("Go on."), streamed=True)


class Client:
    """Receives a response; it takes no bytes before ``ready`` is set."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        if message.get("body"):
            await self.ready.wait()
        self.messages.append(message)

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


async def test_a_reader_that_does_not_read_holds_the_model_back(application: ApplicationFactory) -> None:
    reply = Watched(f"{number} " for number in range(3 * LIMIT))
    async with application(chat_model=ScriptedChatModel(reply)) as running:
        client = Client()
        response = asyncio.create_task(EventStream(await asked(running.services))({}, client.receive, client.send))
        async with asyncio.timeout(30):
            while reply.said < LIMIT:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)  # In which it would go on.

        # What waits in the channel, and what the reader took before it got stuck.
        assert LIMIT <= reply.said <= 2 * LIMIT

        client.ready.set()
        async with asyncio.timeout(30):
            await response
    assert reply.said == len(reply)
    assert f"{3 * LIMIT - 1} " in client.body.decode()
    assert b"event: done" in client.body


class Thinking(ScriptedChatModel):
    """Falls silent after a word, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__([])
        self.go_on = asyncio.Event()

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        yield Piece("one ")
        await self.go_on.wait()
        yield Piece("two", finish=Finish("stop", prompt_tokens=1, completion_tokens=1))


async def test_the_line_is_kept_alive_while_the_model_is_silent_and_nothing_follows_the_end(
    application: ApplicationFactory,
) -> None:
    model = Thinking()
    async with application(chat_model=model) as running:
        client = Client()
        client.ready.set()
        stream = EventStream(await asked(running.services), heartbeat_seconds=0.1)
        response = asyncio.create_task(stream({}, client.receive, client.send))
        async with asyncio.timeout(30):
            while client.body.count(HEARTBEAT) < 3:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
            model.go_on.set()
            await response
        await asyncio.sleep(0.2)

    bodies = [message for message in client.messages if message["type"] == "http.response.body"]
    assert bodies[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert client.body.replace(HEARTBEAT, b"").count(b"event: delta") == 2


class Miscounting(ScriptedChatModel):
    """Ends with counts that no database takes."""

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        counts: Any = object()
        yield Piece("word ", finish=Finish("stop", prompt_tokens=counts))


async def test_a_defect_in_storing_an_answer_leaves_nobody_waiting(application: ApplicationFactory) -> None:
    async with application(chat_model=Miscounting(), settings={"log_level": "error"}) as running:
        turn = await asked(running.services)
        events = []
        async with asyncio.timeout(30):
            while taken := await turn.take():
                events += taken

    assert isinstance(events[-1], Failed)
    assert events[-1].error.code == "internal"
