"""Asking for streams and looking at what is left of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import orjson

from tests.support.events import ServerSentEvent, events_of
from tests.support.product import Account
from tests.support.wire import Wire, connected

QUERY = "/api/v1/chat/query"


async def listen(account: Account, query: str = "Tell me.", **fields: object) -> list[ServerSentEvent]:
    """Ask, and return all events."""
    async with account.client.stream("POST", QUERY, json={"query": query, "stream": True, **fields}) as response:
        assert response.status_code == 200, await response.aread()
        return [event async for event in events_of(response)]


def said(events: list[ServerSentEvent]) -> str:
    """Return the text of all deltas."""
    return "".join(event.data["text"] for event in events if event.name == "delta")


async def new_session(account: Account) -> str:
    """Begin a conversation, so that its id is known before the answer is."""
    return str((await account.client.post("/api/v1/chat/sessions", json={})).json()["id"])


async def stored(account: Account, session_id: str, *, within: float = 30) -> dict[str, Any]:
    """Return the last message of a session as soon as it is not being streamed any more."""
    deadline = monotonic() + within
    while True:
        messages = (await account.client.get(f"/api/v1/chat/sessions/{session_id}/messages", params={"limit": 100})).json()["items"]
        if messages and messages[-1]["status"] != "streaming":
            last: dict[str, Any] = messages[-1]
            return last
        assert monotonic() < deadline, messages
        await asyncio.sleep(0.02)


@asynccontextmanager
async def asking(account: Account, session_id: str, *, stream: bool = True, limit: int = 1 << 16) -> AsyncIterator[Wire]:
    """Ask over a connection that can be left, or not be read."""
    body = orjson.dumps({"query": "Go on.", "stream": stream, "session_id": session_id})
    async with connected(str(account.client.base_url), limit=limit) as wire:
        await wire.begin(
            "POST",
            QUERY,
            Authorization=f"Bearer {account.access_token}",
            Content_Type="application/json",
            Content_Length=len(body),
        )
        await wire.send(body)
        yield wire
