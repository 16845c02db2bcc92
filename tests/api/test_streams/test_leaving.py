"""Clients that leave, or do not read."""

import asyncio
import socket
from contextlib import AsyncExitStack

import orjson
import pytest

from tests.api.test_streams.streaming import asking, new_session, stored
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_first_token_frees_the_model(
    alice: Account, ollama: StandInOllama, stream: bool
) -> None:
    ollama.fail("/api/chat", Fault(hang_after=0))
    session, opened, dropped = await new_session(alice), ollama.streams_opened, ollama.streams_dropped
    async with asking(alice, session, stream=stream) as wire:
        async with asyncio.timeout(30):
            while ollama.streams_opened == opened:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        wire.leave()
        await ollama.dropped(dropped + 1)

    message = await stored(alice, session)
    assert (message["status"], message["content"], message["answer_status"]) == ("stopped", "", "no_documents")
    ollama.clear()
    assert (await alice.ask("Still there?", session_id=session)).json()["status"] == "complete"


async def test_a_client_that_leaves_while_it_waits_for_json_frees_the_model_too(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["word "] * 500, 0.02
    session, dropped = await new_session(alice), ollama.streams_dropped
    async with asking(alice, session, stream=False) as wire:
        await asyncio.sleep(0.5)
        wire.leave()
        await ollama.dropped(dropped + 1)

    message = await stored(alice, session)
    assert message["status"] == "stopped"
    assert message["content"].startswith("word word ")


async def test_thirty_clients_that_leave_at_once_free_the_model_thirty_times(alice: Account, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["word "] * 500, 0.05
    sessions = [await new_session(alice) for _ in range(30)]
    dropped = ollama.streams_dropped
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(asking(alice, session)) for session in sessions]
        await asyncio.gather(*(wire.some(b"event: delta", within=20) for wire in wires))

        for wire in wires:
            wire.leave()

        await ollama.dropped(dropped + 30)

    messages = [await stored(alice, session) for session in sessions]
    assert {message["status"] for message in messages} == {"stopped"}
    assert all(message["content"].startswith("word ") for message in messages)


async def test_a_slow_reader_misses_nothing(alice: Account, ollama: StandInOllama) -> None:
    pieces = [f"{number}: " + "A long line without a marker. " * 100 for number in range(800)]
    ollama.reply = pieces
    session = await new_session(alice)
    async with asking(alice, session, limit=1 << 22) as wire:
        connection: socket.socket = wire.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        heard = ""
        while b"event: done" not in (line := await wire.some(b"\n")):
            if line.startswith(b'data: {"text":'):
                heard += orjson.loads(line.removeprefix(b"data: "))["text"]
                await asyncio.sleep(0.001)

    assert heard == "".join(pieces)
    message = await stored(alice, session)
    assert (message["status"], message["content"] == heard) == ("complete", True)
