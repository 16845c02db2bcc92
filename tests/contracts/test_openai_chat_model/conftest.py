"""A stand-in, and an adapter on it."""

from collections.abc import AsyncIterator

import pytest

from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel
from tests.contracts.test_openai_chat_model.asking import named
from tests.support.ollama import StandInOllama


@pytest.fixture
async def server() -> AsyncIterator[StandInOllama]:
    async with StandInOllama(reply="One two three") as stand_in:
        yield stand_in


@pytest.fixture
async def model(server: StandInOllama) -> AsyncIterator[OpenAICompatibleChatModel]:
    made = named(server, key="sk-secret")
    yield made
    await made.aclose()
