"""Each provider in turn, on a stand-in of its own."""

from collections.abc import AsyncIterator

import pytest

from backend.ports.chat_model import ChatModel
from tests.support.ollama import CHAT_MODEL, StandInOllama
from tests.support.providers import KINDS, Kind


@pytest.fixture
async def server() -> AsyncIterator[StandInOllama]:
    async with StandInOllama(reply="One two three") as stand_in:
        yield stand_in


@pytest.fixture(params=[*KINDS.values()], ids=[*KINDS])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture
async def model(kind: Kind, server: StandInOllama) -> AsyncIterator[ChatModel]:
    """A patient one."""
    made = kind.make(server.url, 30, 30)
    yield made
    await made.aclose()


@pytest.fixture
async def hasty(kind: Kind, server: StandInOllama) -> AsyncIterator[ChatModel]:
    """One that waits 0.6 s for the first piece and 0.4 s for each other, or a few times that, and has loaded what it needs."""
    made = kind.make(server.url, 0.6 * kind.patience, 0.4 * kind.patience)
    await made.details(CHAT_MODEL.name)
    server.requests.clear()
    yield made
    await made.aclose()
