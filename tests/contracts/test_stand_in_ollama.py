"""The official client takes the stand-in for an Ollama server."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence

import aiohttp
import ollama as official
import pytest

from tests.support.ollama import CHAT_MODEL, Fault, InstalledModel, StandInOllama, Thinking

MODEL = CHAT_MODEL.name


@pytest.fixture
async def stand_in() -> AsyncIterator[StandInOllama]:
    async with StandInOllama() as server:
        yield server


@pytest.fixture
async def client(stand_in: StandInOllama) -> AsyncIterator[official.AsyncClient]:
    async with official.AsyncClient(stand_in.url) as client:
        yield client


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def test_a_chat_streams_its_pieces_and_ends_with_counts(stand_in: StandInOllama, client: official.AsyncClient) -> None:
    stand_in.reply = [Thinking("Hm."), "Hello", " world"]

    parts = [part async for part in await client.chat(MODEL, user("Say hello"), stream=True)]

    assert [(part.message.thinking, part.message.content) for part in parts[:-1]] == [
        ("Hm.", ""),
        (None, "Hello"),
        (None, " world"),
    ]
    assert [part.done for part in parts] == [False, False, False, True]
    last = parts[-1]
    assert (last.done_reason, last.prompt_eval_count, last.eval_count) == ("stop", 3, 3)
    assert last.total_duration == 5_000_000
    assert (stand_in.streams_opened, stand_in.streams_finished, stand_in.streams_dropped) == (1, 1, 0)
    assert stand_in.requests[0].path == "/api/chat"
    assert stand_in.requests[0].json["model"] == MODEL


async def test_a_chat_without_a_stream_is_one_answer(stand_in: StandInOllama, client: official.AsyncClient) -> None:
    stand_in.reply = lambda request: f"You said: {request['messages'][-1]['content']}"

    answer = await client.chat(MODEL, user("hello"))

    assert (answer.message.content, answer.done, answer.done_reason) == ("You said: hello", True, "stop")


async def test_generate_streams_and_answers_at_once(stand_in: StandInOllama, client: official.AsyncClient) -> None:
    stand_in.reply = "One two three"

    whole = await client.generate(MODEL, "Count", system="Be brief")
    parts = [part async for part in await client.generate(MODEL, "Count", stream=True)]

    assert whole.response == "One two three"
    assert "".join(part.response or "" for part in parts) == "One two three"
    assert parts[-1].done
    assert whole.context


async def test_the_models_can_be_listed_shown_and_seen_running(client: official.AsyncClient) -> None:
    await client.chat(MODEL, user("hello"), options={"num_ctx": 2048})

    listed = await client.list()
    shown = await client.show("nomic-embed-text")
    running = await client.ps()

    assert [model.model for model in listed.models] == [MODEL, "nomic-embed-text:latest"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["general.architecture"] == "nomic-bert"
    assert shown.modelinfo["nomic-bert.context_length"] == 2048
    assert shown.capabilities == ["embedding"]
    assert [(model.model, model.context_length) for model in running.models] == [(MODEL, 2048)]


async def test_embeddings_are_unit_vectors_that_know_what_is_alike(client: official.AsyncClient) -> None:
    texts = ["How do I get a refund?", "Refunds are paid within 30 days.", "The cat sleeps on the sofa."]

    answer = await client.embed("nomic-embed-text", texts)
    again = await client.embed("nomic-embed-text", texts[0])

    question, near, far = answer.embeddings
    assert sum(x * x for x in question) == pytest.approx(1)
    assert _dot(question, near) > _dot(question, far) + 0.05
    assert list(again.embeddings[0]) == list(question)
    assert len(question) == 256


async def test_an_unknown_model_is_a_404_that_names_it(client: official.AsyncClient) -> None:
    with pytest.raises(official.ResponseError, match="model 'gpt' not found") as caught:
        await client.chat("gpt", user("hello"))
    assert caught.value.status_code == 404

    with pytest.raises(official.ResponseError, match="does not support chat"):
        await client.chat("nomic-embed-text", user("hello"))


async def test_it_says_that_it_is_running(stand_in: StandInOllama) -> None:
    async with aiohttp.ClientSession(stand_in.url) as session:
        for method in ("GET", "HEAD"):
            async with session.request(method, "/") as response:
                assert response.status == 200
                assert await response.text() == ("Ollama is running" if method == "GET" else "")
        async with session.get("/api/version") as response:
            assert await response.json() == {"version": "0.33.0"}
        async with session.post("/api/chat", data=b"{nonsense") as response:
            assert response.status == 400


async def test_a_prompt_over_the_window_is_cut_in_silence_unless_that_is_forbidden(stand_in: StandInOllama) -> None:
    stand_in.reply = lambda request: str([message["content"][:5] for message in request["messages"]])
    old = [{"role": "system", "content": "Rules."}, *user("first " * 40), *user("second"), *user("third")]
    request = {"model": MODEL, "messages": old, "stream": False, "options": {"num_ctx": 32}}
    async with aiohttp.ClientSession(stand_in.url) as session:
        async with session.post("/api/chat", json=request) as response:
            cut = await response.json()
        async with session.post("/api/chat", json={**request, "truncate": False, "shift": False}) as response:
            refused = (response.status, await response.json())

    assert cut["message"]["content"] == "['Rules', 'secon', 'third']"
    assert refused[0] == 400
    assert "exceeds the available context size (32 tokens)" in refused[1]["error"]


async def test_the_default_window_is_4096_tokens(stand_in: StandInOllama) -> None:
    request = {"model": MODEL, "messages": user("word " * 3100), "stream": False, "truncate": False}
    async with aiohttp.ClientSession(stand_in.url) as session, session.post("/api/chat", json=request) as response:
        assert response.status == 400
        assert "(4096 tokens)" in (await response.json())["error"]


async def test_one_long_text_fails_a_batch_that_must_not_be_truncated(stand_in: StandInOllama) -> None:
    request = {"model": "nomic-embed-text", "input": ["short", "long " * 2000]}
    async with aiohttp.ClientSession(stand_in.url) as session:
        async with session.post("/api/embed", json=request) as response:
            assert len((await response.json())["embeddings"]) == 2
        async with session.post("/api/embed", json={**request, "truncate": False}) as response:
            assert response.status == 400
            assert await response.json() == {"error": "the input length exceeds the context length"}


async def test_a_limit_on_the_reply_ends_it_with_length(client: official.AsyncClient, stand_in: StandInOllama) -> None:
    stand_in.reply = "one two three four"

    answer = await client.chat(MODEL, user("Count"), options={"num_predict": 2})

    assert (answer.message.content, answer.done_reason) == ("one two", "length")


async def test_a_client_that_leaves_is_noticed_while_the_stream_waits(stand_in: StandInOllama) -> None:
    stand_in.fail("/api/chat", Fault(hang_after=1))
    async with aiohttp.ClientSession(stand_in.url) as session:
        async with session.post("/api/chat", json={"model": MODEL, "messages": user("hello")}) as response:
            await response.content.readline()
            response.close()
        await stand_in.dropped(1)

    assert (stand_in.streams_opened, stand_in.streams_finished, stand_in.streams_dropped) == (1, 0, 1)


async def test_refusing_comes_back_on_the_same_port(stand_in: StandInOllama, client: official.AsyncClient) -> None:
    url = stand_in.url
    async with stand_in.refusing():
        with pytest.raises(ConnectionError):
            await client.list()

    assert stand_in.url == url
    assert (await client.list()).models


async def test_faults_strike_in_order_and_so_often_as_asked(stand_in: StandInOllama, client: official.AsyncClient) -> None:
    stand_in.fail("/api/tags", Fault(status=503), times=2)
    stand_in.fail("/api/tags", Fault(status=404, body=b"nothing"))
    statuses = []
    for _ in range(4):
        with pytest.raises(official.ResponseError) as caught:
            await client.list()
        statuses.append(caught.value.status_code)

    assert statuses == [503, 503, 404, 404]
    stand_in.clear("/api/tags")
    assert (await client.list()).models


async def test_it_has_the_models_that_it_is_given() -> None:
    async with StandInOllama(models=[InstalledModel("qwen3")]) as stand_in, official.AsyncClient(stand_in.url) as client:
        assert [model.model for model in (await client.list()).models] == ["qwen3"]
        assert (await client.show("qwen3:latest")).capabilities == ["completion", "tools"]


async def test_other_processes_start_it_as_a_module() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.ollama", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 15)).decode().strip()
        async with aiohttp.ClientSession(url) as session, session.get("/api/version") as response:
            assert response.status == 200
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 5) == 0


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return float(sum(a * b for a, b in zip(left, right, strict=True)))
