"""The official client takes the stand-in for a server of OpenAI's API."""

from collections.abc import AsyncIterator

import openai
import pytest

from tests.support.ollama import CHAT_MODEL, Fault, StandInOllama

MODEL = CHAT_MODEL.name


@pytest.fixture
async def stand_in() -> AsyncIterator[StandInOllama]:
    async with StandInOllama(reply="Hello there, you.") as server:
        yield server


@pytest.fixture
async def client(stand_in: StandInOllama) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{stand_in.url}/v1", api_key="sk-x", max_retries=0) as made:
        yield made


async def test_chats_stream_with_usage_and_answer_at_once(stand_in: StandInOllama, client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True, stream_options={"include_usage": True}, max_tokens=2
    )
    chunks = [chunk async for chunk in stream]

    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("Hello there, you.", "stop")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there,"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices] == [None, None, "length"]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens > 0
    assert stand_in.requests[0].authorization == "Bearer sk-x"


async def test_completions_fill_a_gap(client: openai.AsyncOpenAI) -> None:
    assert (await client.completions.create(model=MODEL, prompt="def f(", suffix="\n")).choices[0].text == "Hello there, you."


async def test_models_and_embeddings_in_base64_and_floats(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == [MODEL, "nomic-embed-text:latest"]
    packed = await client.embeddings.create(model="nomic-embed-text", input=["one", "two"])
    plain = await client.embeddings.create(model="nomic-embed-text", input=["one", "two"], encoding_format="float")

    assert [entry.index for entry in packed.data] == [0, 1]
    assert packed.data[1].embedding == pytest.approx(plain.data[1].embedding, abs=1e-6)


async def test_errors_are_the_clients_own(stand_in: StandInOllama, client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="model 'gpt' not found"):
        await client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "Hi"}])
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "word " * 4000}])
    assert caught.value.code == "context_length_exceeded"
    stand_in.fail("/v1/chat/completions", Fault(error_after=1))
    with pytest.raises(openai.APIError, match="an error was encountered"):
        async for _ in await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True):
            pass
