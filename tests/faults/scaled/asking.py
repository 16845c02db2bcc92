"""Questions, and what their askers received."""

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx2

from tests.faults.scaled.doors import PATIENCE_SECONDS, PAUSE_SECONDS, Doors, GivenUpError, was_begun
from tests.support.events import ServerSentEvent, events_of


@dataclass(slots=True)
class Received:
    """What one asker received of an answer. ``end`` is its status or the code of its error, and empty as long as none came."""

    token: str
    session_id: str = ""
    message_id: str = ""
    text: str = ""
    end: str = ""
    number: int = 0

    def take(self, event: ServerSentEvent) -> None:
        """Take the next event."""
        self.number = event.id
        if event.name == "run":
            self.session_id, self.message_id, self.text = event.data["session_id"], event.data["message_id"], ""
        elif event.name == "delta":
            self.text += event.data["text"]
        elif event.name == "done":
            self.end = event.data["status"]
        elif event.name == "error":
            self.end = event.data["code"]


async def ask_whole(door: Doors, body: dict[str, Any], token: str) -> Received | None:
    """Ask, and wait for the whole answer; ``None`` where it was cut."""
    response = await door.send("question", "POST", "/api/v1/chat/query", json=body)
    if response is None or response.status_code != 200:
        return None
    found = response.json()
    return Received(token, found["session_id"], found["message_id"], found["answer"], found["status"])


async def ask_streamed(door: Doors, body: dict[str, Any], token: str) -> Received | None:
    """Ask and read the stream. One that breaks is resumed at the next process, or asked for again with the same key.

    Raises:
        GivenUpError: Its end did not come in all that time.
    """
    operation = "resumable stream" if body.get("resumable") else "stream"
    headers = {"Idempotency-Key": uuid4().hex}
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        received, began = Received(token), monotonic()
        try:
            async with door.next().stream("POST", "/api/v1/chat/query", json={**body, "stream": True}, headers=headers) as response:
                if response.status_code != 200:
                    await response.aread()
                    if await door.refused(operation, response, began):
                        continue
                    return None
                await _read(received, response)
            _judge(door, operation, received, began)
        except httpx2.TransportError as error:
            door.tally.cut(operation, began)
            if was_begun(error):
                deadline = monotonic() + PATIENCE_SECONDS
            await asyncio.sleep(PAUSE_SECONDS)
            if received.message_id and body.get("resumable"):
                await _resume(door, received, deadline)
        if received.end:
            return received
    raise GivenUpError(operation)


async def _resume(door: Doors, received: Received, deadline: float) -> None:
    path = f"/api/v1/chat/sessions/{received.session_id}/messages/{received.message_id}/events"
    while monotonic() < deadline and not received.end:
        began, headers = monotonic(), {"Last-Event-ID": str(received.number)}
        try:
            async with door.next().stream("GET", path, headers=headers) as response:
                if response.status_code != 200:
                    await response.aread()
                    await door.refused("resumed stream", response, began)
                    continue
                await _read(received, response)
            _judge(door, "resumed stream", received, began)
        except httpx2.TransportError:
            door.tally.cut("resumed stream", began)
            await asyncio.sleep(PAUSE_SECONDS)


async def _read(received: Received, response: httpx2.Response) -> None:
    async for event in events_of(response):
        received.take(event)


def _judge(door: Doors, operation: str, received: Received, began: float) -> None:
    if received.end:
        door.tally.ended(operation, received.end, began, received.message_id)
    else:
        door.tally.failures.append(f"{operation}: the answer {received.message_id} ended without `done` or `error`")
