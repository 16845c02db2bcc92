"""Every provider keeps the contract of a chat model: what comes out, and what it frees."""

import asyncio
from contextlib import aclosing

import pytest

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import ModelMissingError
from backend.core.transactions import transaction_open
from backend.ports.chat_model import ChatModel, Finish, Generation, Piece
from tests.contracts.test_chat_models.asking import MODEL, OPTIONS, PROMPT, pieces
from tests.support.ollama import Fault, StandInOllama, Thinking
from tests.support.providers import Kind


async def test_pieces_arrive_in_order_and_the_last_one_carries_the_usage(model: ChatModel, server: StandInOllama) -> None:
    server.reply = "Hello there, you."

    assert await pieces(model) == [Piece("Hello"), Piece(" there,"), Piece(" you."), Piece("", finish=Finish("stop", 5, 4))]


@pytest.mark.parametrize("inside", [ExtractiveChatModel(), ScriptedChatModel(("One ", "two."))], ids=["extractive", "scripted"])
async def test_those_without_a_server_finish_with_their_last_piece_too(inside: ChatModel) -> None:
    *said, last = await pieces(inside, Generation(inside.default_model, window=4096))

    assert "".join(piece.text for piece in said)
    assert [piece.finish for piece in said] == [None] * len(said)
    assert last == Piece("", finish=Finish("stop"))


async def test_reasoning_that_is_written_into_the_text_is_apart_from_the_answer(model: ChatModel, server: StandInOllama) -> None:
    server.reply = ["<th", "ink>Well", ",</th", "ink>\n", "\n", "Yes <think>", "."]
    out = await pieces(model)

    assert "".join(piece.thinking for piece in out) == "Well,"
    assert "".join(piece.text for piece in out) == "Yes <think>."


async def test_reasoning_in_a_field_of_its_own_is_too(model: ChatModel, kind: Kind, server: StandInOllama) -> None:
    server.reply = [Thinking("Well,"), "Yes."]
    out = await pieces(model)

    assert "".join(piece.text for piece in out) == "Yes."
    assert "".join(piece.thinking for piece in out) == ("Well," if kind.native_thinking else "")


async def test_a_reply_that_reached_its_limit_says_so(model: ChatModel, server: StandInOllama) -> None:
    *said, last = await pieces(model, Generation(MODEL, window=4096, max_tokens=2))

    assert [piece.text for piece in said] == ["One", " two"]
    assert last.finish is not None
    assert last.finish.reason == "length"


async def test_an_empty_reply_is_one_piece(model: ChatModel, server: StandInOllama) -> None:
    server.reply = []

    assert await pieces(model) == [Piece("", finish=Finish("stop", 5, 0))]


@pytest.mark.parametrize("fault", [Fault(hang_after=1), Fault(interval=0.05)], ids=["while it waits", "while it speaks"])
async def test_closing_the_stream_frees_the_model(model: ChatModel, kind: Kind, server: StandInOllama, fault: Fault) -> None:
    server.reply = "word " * 200
    server.fail(kind.path, fault)
    stream = model.stream(PROMPT, OPTIONS)
    async with aclosing(stream):
        assert (await anext(stream)).text == "word"

    await server.dropped(1)


async def test_cancelling_the_reader_frees_the_model(model: ChatModel, kind: Kind, server: StandInOllama) -> None:
    for hang_after in (0, 1):
        server.fail(kind.path, Fault(hang_after=hang_after), times=1)
        reader = asyncio.create_task(pieces(model))
        async with asyncio.timeout(60):
            while server.streams_opened <= hang_after:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

        await server.dropped(hang_after + 1)


async def test_the_first_piece_may_be_pulled_by_another_task(model: ChatModel, server: StandInOllama) -> None:
    stream = model.stream(PROMPT, OPTIONS)
    first = await asyncio.ensure_future(anext(stream))

    assert first.text + "".join([piece.text async for piece in stream]) == "One two three"


async def test_a_slow_reader_is_not_a_slow_model(hasty: ChatModel, kind: Kind, server: StandInOllama) -> None:
    server.fail(kind.path, Fault(interval=0.01))
    texts: list[str] = []
    async for piece in hasty.stream(PROMPT, OPTIONS):
        await asyncio.sleep(0 if texts else 0.7 * kind.patience)
        texts.append(piece.text)

    assert "".join(texts) == "One two three"


async def test_the_default_model_is_checked_and_described(model: ChatModel, kind: Kind, server: StandInOllama) -> None:
    await model.check()
    details = await model.details(MODEL)

    assert (details.name, details.context_window) == (MODEL, 8192)
    assert MODEL in [each.name for each in await model.models()]


async def test_nothing_is_asked_inside_a_transaction(model: ChatModel) -> None:
    token = transaction_open.set(True)
    try:
        for call in (pieces(model), model.details(MODEL), model.models(), model.check()):
            with pytest.raises(RuntimeError, match="inside an open transaction"):
                await call
    finally:
        transaction_open.reset(token)


async def test_a_model_that_is_not_there_is_missing(model: ChatModel) -> None:
    with pytest.raises(ModelMissingError, match="mistral:7b"):
        await pieces(model, Generation("mistral:7b", window=4096))
