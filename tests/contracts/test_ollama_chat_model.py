"""What is Ollama's own: what is sent, windows, and what is there. What all providers do is in test_chat_models."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backend.adapters.chat_models.ollama import OllamaChatModel, find_ollama
from backend.core.errors import ModelMissingError, ModelUnavailableError
from backend.ports.chat_model import ChatModel, Generation, Infill, Piece, Prompt, Turn
from tests.support.ollama import CHAT_MODEL, Fault, InstalledModel, StandInOllama

MODEL = CHAT_MODEL.name
PROMPT = Prompt((Turn("system", "Be brief."), Turn("user", "Hello?")), "Hello?")
OPTIONS = Generation(MODEL, window=4096)


@pytest.fixture
async def ollama() -> AsyncIterator[StandInOllama]:
    async with StandInOllama(reply="Hello there, you.") as server:
        yield server


@pytest.fixture
async def model(ollama: StandInOllama) -> AsyncIterator[OllamaChatModel]:
    chat_model = OllamaChatModel(ollama.url, default_model=MODEL)
    yield chat_model
    await chat_model.aclose()


async def pieces(model: ChatModel, options: Generation = OPTIONS) -> list[Piece]:
    return [piece async for piece in model.stream(PROMPT, options)]


async def test_the_window_is_set_and_cutting_is_forbidden(model: ChatModel, ollama: StandInOllama) -> None:
    await pieces(model, Generation(MODEL, window=2048, max_tokens=99, temperature=0.5))
    await pieces(model)

    assert ollama.requests[0].json == {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "stream": True,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 2048, "num_predict": 99, "temperature": 0.5},
    }
    assert ollama.requests[1].json["options"] == {"num_ctx": 4096}


async def test_wishes_are_sent_as_ollama_names_them(model: ChatModel, ollama: StandInOllama) -> None:
    shape = {"type": "object"}
    await pieces(model, Generation(MODEL, 4096, top_p=0.9, seed=7, stop=("END",), think=False, shape=shape))
    await pieces(model, Generation(MODEL, 4096, think=True, shape={}))

    wished, other = (request.json for request in ollama.requests)
    assert wished["options"] == {"num_ctx": 4096, "top_p": 0.9, "seed": 7, "stop": ["END"]}
    assert (wished["format"], wished["think"]) == (shape, False)
    assert other["format"] == "json"
    assert "think" not in other


async def test_a_gap_is_filled_by_the_model_that_sees_both_sides(model: ChatModel, ollama: StandInOllama) -> None:
    ollama.reply = ["a + ", "b"]
    prompt = Prompt((), "", infill=Infill("def add(a, b):\n    return ", "\n"))

    out = [piece async for piece in model.stream(prompt, OPTIONS)]

    assert "".join(piece.text for piece in out) == "a + b"
    assert out[-1].finish is not None
    assert ollama.requests[0].path == "/api/generate"
    assert (ollama.requests[0].json["prompt"], ollama.requests[0].json["suffix"]) == ("def add(a, b):\n    return ", "\n")


async def test_the_model_is_kept_loaded_as_long_as_it_is_set(ollama: StandInOllama) -> None:
    model = OllamaChatModel(f"{ollama.url}/", default_model=MODEL, keep_alive="30m")
    await pieces(model)
    await model.aclose()

    assert ollama.requests[0].json["keep_alive"] == "30m"


async def test_two_hundred_streams_run_at_once(model: ChatModel, ollama: StandInOllama) -> None:
    ollama.fail("/api/chat", Fault(interval=0.2))
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        readers = [group.create_task(pieces(model)) for _ in range(200)]
        while ollama.streams_opened - ollama.streams_finished <= 100:  # noqa: ASYNC110 - a bound of 100 connections would never get here
            await asyncio.sleep(0.01)

    assert all(reader.result()[-1].finish for reader in readers)


async def test_the_connection_is_used_again(model: OllamaChatModel) -> None:
    await pieces(model)
    connector = model._http.opened().connector
    await pieces(model)

    assert connector is not None
    assert sum(len(pool) for pool in connector._conns.values()) == 1


@pytest.mark.parametrize(("longest", "window", "expected"), [(131_072, None, 8192), (2048, None, 2048), (131_072, 16_384, 16_384)])
async def test_details_tell_the_window_to_run_with(longest: int, window: int | None, expected: int) -> None:
    async with StandInOllama(models=[InstalledModel("some", context_length=longest)]) as ollama:
        model = OllamaChatModel(ollama.url, default_model="some", window=window)
        details = [await model.details("some"), await model.details("some")]
        await model.aclose()

        assert [(each.name, each.context_window) for each in details] == [("some", expected)] * 2
        assert [request.path for request in ollama.requests] == ["/api/show", "/api/ps"][: 1 if window else 2]


@pytest.mark.parametrize(("loaded", "window", "expected"), [(16_384, None, 16_384), (512, None, 8192), (16_384, 4096, 4096)])
async def test_a_loaded_model_keeps_its_window_unless_it_is_tiny_or_another_one_was_set(
    loaded: int, window: int | None, expected: int
) -> None:
    async with StandInOllama(models=[InstalledModel("some")]) as ollama:
        model = OllamaChatModel(ollama.url, default_model="some", window=window)
        await pieces(model, Generation("some", loaded))

        assert (await model.details("some")).context_window == expected
        await model.aclose()


async def test_an_ollama_that_does_not_tell_what_is_loaded_is_fine(model: ChatModel, ollama: StandInOllama) -> None:
    ollama.fail("/api/ps", Fault(status=500))

    assert (await model.details(MODEL)).context_window == 8192


async def test_a_window_over_what_the_model_has_is_not_believed() -> None:
    async with StandInOllama(models=[InstalledModel("some", context_length=2048)]) as ollama:
        model = OllamaChatModel(ollama.url, default_model="some", window=9999)
        assert (await model.details("some")).context_window == 2048
        await model.aclose()


@pytest.mark.parametrize("info", [{}, {"model_info": {"general.architecture": "x"}}, {"model_info": None}])
async def test_a_model_that_says_nothing_of_its_window_gets_ollamas_default(
    model: ChatModel, ollama: StandInOllama, info: dict[str, Any]
) -> None:
    ollama.fail("/api/show", Fault(status=200, body=info))

    assert (await model.details(MODEL)).context_window == 4096


async def test_check_wants_an_answer_and_the_default_model(ollama: StandInOllama, model: ChatModel) -> None:
    await model.check()
    for name in ("nomic-embed-text", "nomic-embed-text:latest"):
        other = OllamaChatModel(ollama.url, default_model=name)
        await other.check()
        await other.aclose()
    missing = OllamaChatModel(ollama.url, default_model="llama3.2")
    with pytest.raises(ModelMissingError, match=r"docent models pull llama3\.2$"):
        await missing.check()
    await missing.aclose()
    ollama.fail("/api/version", Fault(status=404, body=b"no such page"))
    with pytest.raises(ModelUnavailableError):
        await model.check()


async def test_an_ollama_is_found_by_its_version(ollama: StandInOllama) -> None:
    assert await find_ollama(ollama.url) == "0.33.0"
    assert await find_ollama(f"{ollama.url}/elsewhere") is None
    ollama.fail("/api/version", Fault(hang_after=0))
    assert await find_ollama(ollama.url, timeout=0.1) is None
    async with ollama.refusing():
        assert await find_ollama(ollama.url) is None
