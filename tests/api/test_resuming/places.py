"""Several processes of one product, played in this one, and clients that lose their streams."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import orjson

from backend.bootstrap.application import Application
from backend.cli.connections import bounded
from backend.core.config import Settings
from backend.main import create_app
from backend.ports.chat_model import ChatModel
from tests.conftest import ApplicationFactory
from tests.support.events import ServerSentEvent, events_of
from tests.support.product import NO_TLS, PASSWORD, Account
from tests.support.web_server import web_server

QUERY = "/api/v1/chat/query"


@dataclass(frozen=True, slots=True)
class Place:
    """A process of the product, and somebody's way to it."""

    running: Application
    account: Account

    @property
    def client(self) -> httpx2.AsyncClient:
        return self.account.client


@dataclass(slots=True)
class Heard:
    """What somebody has received of an answer."""

    events: list[ServerSentEvent]

    @property
    def message(self) -> str:
        """Where the answer is."""
        run = self.events[0].data
        return f"/api/v1/chat/sessions/{run['session_id']}/messages/{run['message_id']}"

    @property
    def text(self) -> str:
        return "".join(event.data["text"] for event in self.events if event.name == "delta")

    @property
    def names(self) -> list[str]:
        """The kinds of the events, deltas once."""
        return list(dict.fromkeys(event.name for event in self.events))

    @property
    def last(self) -> ServerSentEvent:
        return self.events[-1]


@asynccontextmanager
async def opened(
    application: ApplicationFactory, model: ChatModel, *, account: Account | None = None, **settings: object
) -> AsyncIterator[Place]:
    """Run the product behind a socket, and sign somebody in, or let them go on with the token of another process."""
    async with application(chat_model=model, settings=settings) as running:
        app = create_app(Settings(_env_file=None, log_level="error"))
        app.state.services = running.services
        async with (
            running.listener.running(),
            web_server(app, bounded(20.0)) as server,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30, verify=NO_TLS) as client,
        ):
            known = account or await _registered(client)
            client.headers["Authorization"] = f"Bearer {known.access_token}"
            yield Place(running, Account(client, known.username, known.access_token, known.refresh_token))
            await running.services.answering.drain(0)


async def _registered(client: httpx2.AsyncClient) -> Account:
    username = f"alice-{uuid4().hex[:12]}"
    body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    (await client.post("/api/v1/auth/register", json=body)).raise_for_status()
    tokens = (await client.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})).json()
    return Account(client, username, tokens["access_token"], tokens["refresh_token"])


async def ask(place: Place, *, events: int | None = None, **fields: object) -> Heard:
    """Ask for a resumable stream, and lose it after so many events."""
    return await heard_by(place.client, events=events, **fields)


async def go_on(place: Place, heard: Heard, *, events: int | None = None) -> Heard:
    """Resume after what was heard, and return all that was heard then."""
    return await resumed_by(place.client, heard, events=events)


async def heard_by(client: httpx2.AsyncClient, *, events: int | None = None, **fields: object) -> Heard:
    """See ``ask``."""
    body: dict[str, Any] = {"query": "Go on.", "stream": True, "resumable": True, **fields}
    async with client.stream("POST", QUERY, json=body) as response:
        return Heard(await _some(response, events))


async def resumed_by(client: httpx2.AsyncClient, heard: Heard, *, events: int | None = None) -> Heard:
    """See ``go_on``."""
    headers = {"Last-Event-ID": str(heard.last.id)}
    async with client.stream("GET", f"{heard.message}/events", headers=headers) as response:
        return Heard([*heard.events, *await _some(response, events)])


async def ended(place: Place, heard: Heard) -> dict[str, Any]:
    """Wait until an answer is over, and return its message."""
    async with asyncio.timeout(20):
        while (message := await stored(place, heard))["status"] == "streaming":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    return message


async def _some(response: httpx2.Response, events: int | None) -> list[ServerSentEvent]:
    assert response.status_code == 200, await response.aread()
    received: list[ServerSentEvent] = []
    async for event in events_of(response):
        received.append(event)
        if len(received) == events:
            break
    return received


def whole_events(received: bytes) -> list[ServerSentEvent]:
    """Return the events that have come to their end."""
    blocks: Sequence[bytes] = received.split(b"\n\n")[:-1]
    fields = [dict(line.split(b": ", 1) for line in block.split(b"\n")) for block in blocks]
    return [ServerSentEvent(each[b"event"].decode(), int(each[b"id"]), orjson.loads(each[b"data"])) for each in fields]


async def stored(place: Place, heard: Heard) -> dict[str, Any]:
    """Return the message as it is stored now."""
    listed, _, message_id = heard.message.rpartition("/")
    items = (await place.client.get(listed, params={"limit": 100})).raise_for_status().json()["items"]
    return next(item for item in items if item["id"] == message_id)
