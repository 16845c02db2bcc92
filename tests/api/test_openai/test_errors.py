"""Every error under /v1 is one that OpenAI's clients understand."""

import asyncio
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.api.test_openai.conftest import CHAT_MODEL, Reader, client_of, key_of
from tests.api.test_openai.test_plain import HELLO
from tests.support.ollama import Fault, StandInOllama
from tests.support.product import Account, Product

MODELS = pytest.mark.parametrize("model", [CHAT_MODEL, "docent"])
STREAM = pytest.mark.parametrize("stream", [True, False])


def told(error: openai.APIError) -> tuple[str | None, str | None, str | None]:
    return error.type, error.code, error.param


async def test_who_is_not_known_and_who_may_not_are_told_apart(product: Product, alice: Account) -> None:
    async with client_of(product.url, "dk_nobody") as stranger:
        with pytest.raises(openai.AuthenticationError) as unknown:
            await stranger.models.list()
    assert told(unknown.value) == ("authentication_error", "token_invalid", None)
    assert unknown.value.response.headers["www-authenticate"] == "Bearer"
    assert unknown.value.request_id
    async with client_of(product.url, await key_of(alice, scopes=["documents:read"])) as reader:
        with pytest.raises(openai.PermissionDeniedError) as forbidden:
            await reader.chat.completions.create(model="docent", messages=HELLO)
    assert told(forbidden.value) == ("permission_error", "scope_missing", None)


@STREAM
@pytest.mark.parametrize("model", ["gpt-5", "docent/gpt-5"])
async def test_an_unknown_model_is_not_found(client: AsyncOpenAI, model: str, stream: bool) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await client.chat.completions.create(model=model, messages=HELLO, stream=stream)

    assert told(refused.value) == ("invalid_request_error", "model_not_found", "model")


IMAGE = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "https://host.example/a.png"}}]
DEEP: dict[str, Any] = {}
for _ in range(300):
    DEEP = {"properties": {"a": DEEP}}


@pytest.mark.parametrize(
    ("body", "param", "sentence"),
    [
        ({"n": 2}, "n", "less than or equal to 1"),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": [{"role": "user", "content": IMAGE}]}, "messages[0].content[1]", "no images"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "string"),
        ({"temperature": "hot"}, "temperature", "number"),
        ({"stop": ["x"] * 5}, "stop", "at most 4"),
        ({"stream_options": {"include_usage": "perhaps"}}, "stream_options.include_usage", "boolean"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "json_object"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": DEEP}}},
            "response_format.json_schema.schema",
            "deep",
        ),
        ({"document_ids": ["x"]}, "document_ids[0]", "UUID"),
        ({"model": "docent", "messages": [{"role": "system", "content": "Hi."}]}, "messages", "no question"),
        ({"model": "docent", "response_format": {"type": "json_object"}}, "response_format", "markers"),
        ({"model": "docent", "messages": [{"role": "user", "content": "long " * 7000}]}, "messages", "too long"),
    ],
)
async def test_what_is_not_right_is_named(client: AsyncOpenAI, body: dict[str, Any], param: str, sentence: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.post("/chat/completions", body={"model": CHAT_MODEL, "messages": HELLO, **body}, cast_to=object)

    assert (refused.value.type, refused.value.param) == ("invalid_request_error", param)
    assert sentence in refused.value.message


async def test_a_prompt_that_is_too_long_has_the_code_that_clients_look_for(client: AsyncOpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "word " * 100_000}]
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model=CHAT_MODEL, messages=messages)

    assert told(refused.value) == ("invalid_request_error", "context_length_exceeded", "messages")


@MODELS
@STREAM
async def test_a_model_that_is_down_is_a_503(client: AsyncOpenAI, ollama: StandInOllama, model: str, stream: bool) -> None:
    ollama.fail("/api/chat", Fault(status=500))

    with pytest.raises(openai.InternalServerError) as refused:
        await client.chat.completions.create(model=model, messages=HELLO, stream=stream)

    assert refused.value.status_code == 503
    assert told(refused.value) == ("server_error", "model_unavailable", None)
    assert int(refused.value.response.headers["retry-after"]) > 0


@MODELS
@pytest.mark.parametrize("fault", [Fault(cut_after=2), Fault(error_after=2), Fault(without_done=True)], ids=str)
async def test_a_reply_that_is_cut_is_never_taken_for_a_whole_one(
    client: AsyncOpenAI, ollama: StandInOllama, model: str, fault: Fault
) -> None:
    ollama.reply, ollama.interval = ["one ", "two ", "three "], 0.01
    ollama.fail("/api/chat", fault)
    stream = await client.chat.completions.create(model=model, messages=HELLO, stream=True)
    said: list[str | None] = []

    async def read() -> None:
        async for chunk in stream:
            said.append(chunk.choices[0].delta.content)
            assert chunk.choices[0].finish_reason is None

    with pytest.raises(openai.APIError) as broken:
        await read()
    assert "".join(filter(None, said)).startswith("one two ")
    assert told(broken.value) == ("server_error", "answer_cut", None)

    with pytest.raises(openai.InternalServerError) as refused:
        await client.chat.completions.create(model=model, messages=HELLO)
    assert (refused.value.status_code, refused.value.code) == (502, "answer_cut")


async def test_whatever_answers_under_v1_speaks_that_way(product: Product, reader: Reader) -> None:
    async with product.client(Authorization=f"Bearer {reader.key}") as client:
        path = "/v1/chat/completions"
        answers = [
            (await client.get("/v1/nothing"), 404, "route_not_found"),
            (await client.get("/v1"), 404, "route_not_found"),
            (await client.get(path), 405, "method_not_allowed"),
            (await client.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400, "request_invalid"),
            (await client.post(path, content=b"\xff", headers={"Content-Type": "application/json"}), 400, "request_malformed"),
            (await client.post(path, content=b"x" * 2_000_000), 413, "request_too_large"),
            (await client.get("/v1/models/" + "x" * 9000), 414, "target_too_long"),
            (await client.get("/v1/models", headers={"X-Long": "x" * 17_000}), 431, "headers_too_large"),
        ]
        assert (await client.get("/v2/models")).headers["content-type"] == "application/problem+json"
    for answer, status, code in answers:
        assert_shaped(answer, status, code)
    assert answers[2][0].headers["allow"] == "POST"


def assert_shaped(answer: httpx2.Response, status: int, code: str) -> None:
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert sorted(error) == ["code", "message", "param", "type"]
    assert (answer.status_code, error["type"], error["code"]) == (status, "invalid_request_error", code)


async def test_a_server_that_does_not_answer_is_a_connection_error() -> None:
    async with client_of("http://127.0.0.1:9", "dk_any") as client:
        with pytest.raises(openai.APIConnectionError):
            await client.models.list()


@MODELS
async def test_a_client_that_closes_its_stream_frees_the_model(reader: Reader, ollama: StandInOllama, model: str) -> None:
    ollama.reply, ollama.interval = ["word "] * 2000, 0.02
    dropped = ollama.streams_dropped
    stream = await reader.client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "What do whales eat?"}], stream=True
    )
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            break

    await stream.close()

    await ollama.dropped(dropped + 1)


@MODELS
async def test_a_client_that_gives_up_waiting_frees_the_model(reader: Reader, ollama: StandInOllama, model: str) -> None:
    ollama.fail("/api/chat", Fault(hang_after=1))
    opened, dropped = ollama.streams_opened, ollama.streams_dropped
    asking = asyncio.create_task(
        reader.client.chat.completions.create(model=model, messages=[{"role": "user", "content": "What do whales eat?"}])
    )
    async with asyncio.timeout(30):
        while ollama.streams_opened == opened:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)

    asking.cancel()

    await ollama.dropped(dropped + 1)
    await asyncio.gather(asking, return_exceptions=True)
