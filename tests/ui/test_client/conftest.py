"""A server that answers what a test says, and the client."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.faulty_api import FaultyApi, faulty_api
from ui.client import Api, connect


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[tuple[FaultyApi, httpx2.Client]]:
    """A server that answers what a test says, and connections to it."""
    async with faulty_api("http://127.0.0.1:9") as server:
        with connect(server.url) as client:
            yield server, client


@pytest.fixture
def server(running: tuple[FaultyApi, httpx2.Client]) -> FaultyApi:
    """The server, of which nothing was asked."""
    running[0].clear()
    running[0].seen.clear()
    return running[0]


@pytest.fixture
def http(running: tuple[FaultyApi, httpx2.Client]) -> httpx2.Client:
    """The connections."""
    return running[1]


@pytest.fixture
def api(http: httpx2.Client) -> Api:
    """The API in somebody's name."""
    return Api(http, "token")
