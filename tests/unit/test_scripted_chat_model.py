import asyncio
from contextlib import aclosing

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import AnswerCutError, ModelUnavailableError
from backend.ports.chat_model import Finish, Generation, Piece, Prompt

PROMPT = Prompt((), "Why?")
OPTIONS = Generation(model="scripted", window=8192)


async def said(model: ScriptedChatModel) -> list[Piece]:
    return [piece async for piece in model.stream(PROMPT, OPTIONS)]


async def test_replies_are_played_in_turn_and_the_last_is_repeated() -> None:
    model = ScriptedChatModel(["one", 0.0, " more"], ["two"])

    replies = ["".join(piece.text for piece in await said(model)) for _ in range(3)]

    assert replies == ["one more", "two", "two"]
    assert (model.prompts, model.options, model.closed_early) == ([PROMPT] * 3, [OPTIONS] * 3, 0)
    assert (await said(model))[-1].finish == Finish("stop")


async def test_exceptions_are_raised_where_they_stand() -> None:
    model = ScriptedChatModel(["half", AnswerCutError()])

    async with aclosing(model.stream(PROMPT, OPTIONS)) as stream:
        assert await anext(stream) == Piece("half")
        with pytest.raises(AnswerCutError):
            await anext(stream)


async def test_a_stream_that_is_closed_or_cancelled_early_is_counted() -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["first", gate, "second"])
    async with aclosing(model.stream(PROMPT, OPTIONS)) as stream:
        assert (await anext(stream)).text == "first"
    waiting = asyncio.create_task(said(model))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert model.closed_early == 2
    gate.set()
    assert [piece.text for piece in await said(model)] == ["first", "second", ""]


async def test_a_model_that_is_down_says_so_everywhere() -> None:
    model = ScriptedChatModel()
    model.down = ModelUnavailableError()

    for attempt in (said(model), model.details("scripted"), model.check()):
        with pytest.raises(ModelUnavailableError):
            await attempt
