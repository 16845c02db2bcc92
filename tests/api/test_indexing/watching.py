"""Reading the progress of a document."""

from collections.abc import AsyncIterator
from typing import Any

from tests.support.events import ServerSentEvent, events_of
from tests.support.product import Account

DOCUMENTS = "/api/v1/chat/documents"


async def watched(account: Account, document_id: str) -> AsyncIterator[ServerSentEvent]:
    """Yield the events of a document as they arrive."""
    async with account.client.stream("GET", f"{DOCUMENTS}/{document_id}/events") as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        async for event in events_of(response):
            yield event


async def at_stage(account: Account, document_id: str, stage: str) -> dict[str, Any]:
    """Return a document as soon as this is done with it."""
    async for event in watched(account, document_id):
        if event.data.get("stage") == stage:
            return event.data
    raise AssertionError(f"it was never {stage}")


async def cancel(account: Account, document_id: str) -> dict[str, Any]:
    """Cancel a document's indexing and return it."""
    response = await account.client.post(f"{DOCUMENTS}/{document_id}/cancel")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
