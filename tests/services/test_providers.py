"""Several providers as one model: where an id leads, what is asked again, who takes over, and what that costs."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel, Step
from backend.core.errors import (
    AnswerCutError,
    DocentError,
    ModelMissingError,
    ModelRefusedError,
    ModelUnavailableError,
    PromptTooLongError,
)
from backend.ports.chat_model import Generation, Infill, ModelDetails, Piece, Prompt, Turn
from backend.services.providers import Providers, attempts, outages

QUESTION = Prompt((Turn("user", "Hello?"),), "Hello?", otherwise="Nothing.")
TASK = Prompt((Turn("user", "Write a title."),), "Write a title.")
OPTIONS = Generation("one", window=8192, max_tokens=4000)


def busy(retry_after: int | None = None) -> ModelUnavailableError:
    error = ModelUnavailableError()
    error.retryable = True
    if retry_after is not None:
        error.retry_after_seconds = retry_after
    return error


def scripted(name: str, *replies: Sequence[Step], window: int = 8192, writes: bool = True) -> ScriptedChatModel:
    return ScriptedChatModel(*replies, provider=name, default_model="one", window=window, writes=writes)


async def read(model: Providers, prompt: Prompt = QUESTION, options: Generation = OPTIONS) -> list[Piece]:
    async with aclosing(model.stream(prompt, options)) as pieces:
        return [piece async for piece in pieces]


def text(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


async def test_closing_the_stream_closes_the_providers() -> None:
    waiting = scripted("first", ("one", "two", asyncio.Event()))
    model = Providers(waiting, [scripted("second")], fallback="second/one")

    stream = model.stream(QUESTION, OPTIONS)
    assert [(await anext(stream)).text for _ in range(2)] == ["one", "two"]
    await stream.aclose()
    assert (waiting.closed_early, await anext(stream, None)) == (1, None)

    never = model.stream(QUESTION, OPTIONS)
    await never.aclose()
    assert (await anext(never, None), len(waiting.prompts)) == (None, 1)

    silent = scripted("first", (asyncio.Event(), "never"))
    task = asyncio.create_task(read(Providers(silent)))
    await asyncio.sleep(0)
    assert silent.prompts
    task.cancel()
    await asyncio.wait([task])
    assert (task.cancelled(), silent.closed_early) == (True, 1)


@pytest.mark.parametrize(
    ("replies", "asked", "outcome"),
    [
        ([(busy(),), (busy(),), ("there",)], 3, "there"),
        ([(busy(0),), ("there",)], 2, "there"),
        ([(busy(),)], 3, ModelUnavailableError),
        ([(busy(60),), ("never",)], 1, ModelUnavailableError),
        ([(ModelUnavailableError(),), ("never",)], 1, ModelUnavailableError),
        ([(PromptTooLongError(),), ("never",)], 1, PromptTooLongError),
        ([(ModelRefusedError(),), ("never",)], 1, ModelRefusedError),
        ([("half", busy()), ("never",)], 1, ModelUnavailableError),
    ],
)
async def test_who_is_busy_is_asked_again_before_the_first_piece_only(
    replies: list[tuple[Step, ...]], asked: int, outcome: str | type[DocentError]
) -> None:
    first = scripted("first", *replies)
    model = Providers(first, back_off_seconds=0.0)

    if isinstance(outcome, str):
        assert text(await read(model)) == outcome
    else:
        with pytest.raises(outcome):
            await read(model)
    assert len(first.prompts) == asked


async def test_who_took_long_to_fail_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1000.0
    monkeypatch.setattr(attempts, "monotonic", lambda: at)

    class Loading(ScriptedChatModel):
        async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
            nonlocal at
            at += 100
            async for piece in super().stream(prompt, options):
                yield piece

    first = Loading((busy(),), ("never",), provider="first", default_model="one")
    with pytest.raises(ModelUnavailableError):
        await read(Providers(first, back_off_seconds=0.0))
    assert len(first.prompts) == 1


async def test_a_gap_is_left_to_a_fallback_that_can_fill_it() -> None:
    class Filling(ScriptedChatModel):
        async def details(self, model: str) -> ModelDetails:
            return replace(await super().details(model), capabilities=frozenset({"insert"}))

    gap, away = Prompt((), "", infill=Infill("a", "b")), scripted("first", (ModelUnavailableError(),))
    chats, fills = scripted("second"), Filling(("+",), provider="second", default_model="one", writes=True)

    with pytest.raises(ModelUnavailableError):
        await read(Providers(away, [chats], fallback="second/one"), gap)
    assert chats.prompts == []
    assert text(await read(Providers(away, [fills], fallback="second/one"), gap)) == "+"


async def test_what_cannot_be_replaced_does_not_wait_for_a_provider_that_is_known_to_be_away() -> None:
    first, quoting = scripted("first"), scripted("quoting", writes=False)
    model = Providers(first, [quoting], fallback="quoting/one", back_off_seconds=0.0, outage_seconds=600.0)
    first.down = busy()
    assert (await read(model))[0].model == "quoting/one"
    first.down = None

    with pytest.raises(ModelUnavailableError):
        await read(model, TASK)
    assert (first.prompts, len(quoting.prompts)) == ([], 1)


async def test_the_fallback_takes_over_with_its_own_window_and_says_so() -> None:
    first, second = scripted("first", (ModelUnavailableError(),)), scripted("second", ("Hi", "!"), window=2048)

    pieces = await read(Providers(first, [second], fallback="second/one"))

    assert (text(pieces), [piece.model for piece in pieces]) == ("Hi!", ["second/one", None, None])
    assert second.options == [replace(OPTIONS, model="one", window=2048, max_tokens=1024)]


async def test_mistakes_and_answers_that_have_begun_are_not_replaced() -> None:
    cases: list[tuple[tuple[Step, ...], type[DocentError]]] = [
        ((ModelMissingError(),), ModelMissingError),
        ((ModelRefusedError(),), ModelRefusedError),
        ((PromptTooLongError(),), PromptTooLongError),
        (("half an", AnswerCutError()), AnswerCutError),
    ]
    second = scripted("second")
    for reply, error in cases:
        with pytest.raises(error):
            await read(Providers(scripted("first", reply), [second], fallback="second/one"))

    # Nor is what only a model that writes can do left to one that quotes, or a fallback to itself.
    quoting = scripted("quoting", writes=False)
    down = scripted("first", (ModelUnavailableError(),))
    with pytest.raises(ModelUnavailableError):
        await read(Providers(down, [quoting], fallback="quoting/one"), TASK)
    with pytest.raises(ModelUnavailableError):
        await read(Providers(down, fallback="first/one"))
    assert (second.prompts, quoting.prompts) == ([], [])
    assert text(await read(Providers(down, [quoting], fallback="quoting/one"))) != ""


async def test_what_is_wrong_with_the_fallback_is_not_the_mistake_of_who_asked() -> None:
    down, second = scripted("first", (ModelUnavailableError(),)), scripted("second", (ModelMissingError(),), (ModelRefusedError(),))
    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            await read(Providers(down, [second], fallback="second/one"))

    small = scripted("second", (PromptTooLongError(),), window=512)
    with pytest.raises(PromptTooLongError) as raised:
        await read(Providers(down, [small], fallback="second/one"))
    assert raised.value.window == 512


async def test_a_dead_provider_costs_one_of_many_its_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1000.0
    monkeypatch.setattr(outages, "monotonic", lambda: at)
    first, second = scripted("first"), scripted("second", window=1024)
    model = Providers(first, [second], fallback="second/one", back_off_seconds=0.0, outage_seconds=5.0)
    first.down = busy()

    async def writers() -> list[str | None]:
        return [(await read(model))[0].model for _ in range(3)]

    assert await writers() == ["second/one"] * 3
    assert (await model.details("one")).context_window == 1024
    first.down = None
    # It is back, and nobody knows yet.
    assert (await writers(), first.prompts) == (["second/one"] * 3, [])
    at += 6
    # What is known by heart proves nothing, and does not keep the next one from trying.
    assert (await model.details("one")).context_window == 8192
    assert (await writers(), len(first.prompts)) == ([None] * 3, 3)

    first.down = busy()
    assert await writers() == ["second/one"] * 3
    at += 6
    first.down = None
    # One tries, and while it waits the others do not.
    trying = model.stream(QUESTION, OPTIONS)
    assert model._outages.last(model.found("one")) is False
    assert (await writers(), len(first.prompts)) == (["second/one"] * 3, 3)
    await trying.aclose()


async def test_a_refusal_of_one_request_is_no_outage_for_the_others() -> None:
    first, second = scripted("first", (ModelUnavailableError("Not this one."),), ("Hello",)), scripted("second")
    model = Providers(first, [second], fallback="second/one", outage_seconds=60.0)

    assert [(await read(model))[0].model for _ in range(2)] == ["second/one", None]


async def test_details_are_those_of_the_fallback_while_the_provider_is_away() -> None:
    first, second = scripted("first"), scripted("second", window=1024)
    model = Providers(first, [second], fallback="second/one")
    first.down = ModelUnavailableError()

    assert await model.details("one") == ModelDetails("second/one", 1024)
    with pytest.raises(ModelUnavailableError):
        await Providers(first).details("one")
    first.down = ModelMissingError()
    with pytest.raises(ModelMissingError):
        await model.details("one")
