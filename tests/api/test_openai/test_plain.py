"""Completions of models named by themselves: what the model says, and nothing else."""

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.api.test_openai.conftest import CHAT_MODEL, Reader
from tests.support.ollama import StandInOllama, Thinking
from tests.support.product import Account

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello."}]


async def tokens_of(account: Account) -> int:
    usage = (await account.client.get("/api/v1/auth/me/usage")).json()
    return int(next(limit["used"] for limit in usage["limits"] if limit["name"] == "tokens_per_day"))


async def test_a_completion_is_what_the_model_said_with_what_it_counted(
    client: AsyncOpenAI, alice: Account, ollama: StandInOllama
) -> None:
    ollama.reply = ["A [7] ", "<b>b</b> ", "![c](https://d.example/e.png)"]

    completion = await client.chat.completions.create(model=CHAT_MODEL, messages=HELLO)

    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == ("A [7] <b>b</b> ![c](https://d.example/e.png)", "stop")
    assert (choice.message.role, choice.message.annotations) == ("assistant", [])
    assert (completion.model, completion.object, completion.id[:9]) == (CHAT_MODEL, "chat.completion", "chatcmpl-")
    assert completion.model_extra == {}
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion.usage.completion_tokens > 0
    assert await tokens_of(alice) == completion.usage.total_tokens
    assert (await alice.client.get("/api/v1/chat/sessions")).json()["items"] == []


async def test_a_stream_says_the_same_in_chunks_and_its_usage_if_that_is_wanted(client: AsyncOpenAI, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = ["One ", "two\u2028", "three\x85", "🐋."], 0.1
    stream = await client.chat.completions.create(
        model=CHAT_MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )

    chunks = [chunk async for chunk in stream]

    *said, last, usage = chunks
    assert said[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in said) == "One two\u2028three\x85🐋."
    assert len(said) > 2, "the one that begins, and more than one of text"
    assert (last.choices[0].finish_reason, last.choices[0].delta.content) == ("stop", None)
    assert {chunk.choices[0].finish_reason for chunk in said} == {None}
    assert usage.choices == []
    assert usage.usage is not None
    assert usage.usage.total_tokens == usage.usage.prompt_tokens + usage.usage.completion_tokens > 0
    assert {chunk.usage for chunk in chunks[:-1]} == {None}
    assert {(chunk.id, chunk.model, chunk.object) for chunk in chunks} == {(chunks[0].id, CHAT_MODEL, "chat.completion.chunk")}


async def test_what_the_model_thinks_is_kept_apart(client: AsyncOpenAI, ollama: StandInOllama) -> None:
    ollama.reply = [Thinking("Let me "), Thinking("see."), "It is ", "four."]

    whole = await client.chat.completions.create(model=CHAT_MODEL, messages=HELLO)
    stream = await client.chat.completions.create(model=CHAT_MODEL, messages=HELLO, stream=True)
    deltas = [chunk.choices[0].delta async for chunk in stream]

    message = whole.choices[0].message
    assert (message.content, message.model_extra) == ("It is four.", {"reasoning_content": "Let me see."})
    assert "".join(delta.content or "" for delta in deltas) == "It is four."
    assert "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas) == "Let me see."


async def test_the_model_reads_the_messages_as_they_were_sent(client: AsyncOpenAI, ollama: StandInOllama) -> None:
    messages: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Two "}, {"type": "text", "text": "parts."}], "name": "alice"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "42"},
        {"role": "user", "content": "So?"},
    ]
    tools: list[Any] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]

    completion = await client.chat.completions.create(
        model=CHAT_MODEL,
        messages=messages,
        tools=tools,
        tool_choice="auto",
        n=1,
        user="somebody",
        metadata={"a": "b"},
        logprobs=False,
        temperature=0.25,
        max_completion_tokens=33,
    )

    assert completion.choices[0].message.tool_calls is None
    asked = next(request.json for request in reversed(ollama.requests) if request.path == "/api/chat")
    assert [(message["role"], message["content"]) for message in asked["messages"]] == [
        ("system", "Be brief."),
        ("user", "Two parts."),
        ("assistant", ""),
        ("user", "42"),
        ("user", "So?"),
    ]
    assert (asked["options"]["temperature"], asked["options"]["num_predict"]) == (0.25, 33)


@pytest.mark.parametrize("model", [CHAT_MODEL, "docent"])
async def test_a_reply_that_reaches_its_limit_says_so(reader: Reader, ollama: StandInOllama, model: str) -> None:
    ollama.reply = ["word "] * 50

    completion = await reader.client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "What do whales eat?"}], max_tokens=5
    )

    assert (completion.choices[0].finish_reason, completion.choices[0].message.content) == ("length", "word " * 5)


async def test_many_at_once_are_not_mixed_up(reader: Reader, ollama: StandInOllama) -> None:
    ollama.reply, ollama.interval = (lambda request: str(request["messages"][-1]["content"]).split()[-1] * 20), 0.005

    async def said(number: int, model: str) -> str:
        stream = await reader.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"Whales, krill and {number:03}"}], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    answers = await asyncio.gather(*(said(number, ("docent", CHAT_MODEL)[number % 2]) for number in range(24)))

    assert answers == [f"{number:03}" * 20 for number in range(24)]
