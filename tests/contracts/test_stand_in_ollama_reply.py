"""The stand-in answers from the passages that it is given, so that tests from end to end are grounded."""

from collections.abc import AsyncIterator
from uuid import uuid4

import ollama as official
import pytest

from backend.ports.chat_model import Passage
from backend.rag.packing import pack
from backend.rag.situation import Situation
from tests.support.ollama import CHAT_MODEL, StandInOllama

MODEL = CHAT_MODEL.name


@pytest.fixture
async def client() -> AsyncIterator[official.AsyncClient]:
    async with StandInOllama() as stand_in, official.AsyncClient(stand_in.url) as client:
        yield client


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


PASSAGES = """Answer from the passages. Cite like [1] right after the claim.

[1] Handbook, page 3
The office opens at nine. Refunds are paid within 30 days.

[2] Menu, page 1
Soup is served daily.
</passages>
"""


@pytest.mark.parametrize("layout", ["one message", "two messages"])
async def test_the_default_reply_quotes_the_passage_that_answers(client: official.AsyncClient, layout: str) -> None:
    def asked(question: str) -> list[dict[str, str]]:
        if layout == "one message":
            return user(f"{PASSAGES}\nQuestion: {question}")
        return [{"role": "system", "content": PASSAGES}, *user(question)]

    known = await client.chat(MODEL, asked("When are refunds paid?"))
    other = await client.chat(MODEL, asked("Is soup served?"))
    unknown = await client.chat(MODEL, asked("Who painted Guernica?"))

    assert known.message.content == "Refunds are paid within 30 days. [1]"
    assert other.message.content == "Soup is served daily. [2]"
    assert unknown.message.content == "I do not know: the documents do not say."


async def test_the_default_reply_finds_the_passages_of_our_own_prompts(client: official.AsyncClient) -> None:
    texts = ["The office opens at nine.\nRefunds are paid within 30 days.", "Soup is served daily."]
    passages = [
        Passage(at, uuid4(), uuid4(), "When are refunds paid?", 3, None, 0, len(text), text, 1.0)
        for at, text in enumerate(texts, 1)
    ]
    packed = pack("When are refunds paid?", [], passages, window=4096, reserve=512, situation=Situation())

    answer = await client.chat(MODEL, [{"role": turn.role, "content": turn.content} for turn in packed.prompt.turns])

    assert answer.message.content == "Refunds are paid within 30 days. [1]"
