"""Reading server-sent events."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event as it came over the wire."""

    name: str
    id: int
    data: dict[str, Any]


async def events_of(response: httpx2.Response) -> AsyncIterator[ServerSentEvent]:
    """Yield the events of a streaming response as they arrive; comments are passed over."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield ServerSentEvent(fields["event"], int(fields["id"]), orjson.loads(fields["data"]))
            fields = {}
    assert not fields, "the stream ended in the middle of an event"
