"""Stopping an indexing, and trying it again."""

import asyncio

import pytest
from httpx2 import Response

from tests.api.test_indexing.watching import DOCUMENTS, at_stage, cancel, watched
from tests.support.files import WHALES
from tests.support.product import Account


def code_of(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("stage", ["reading", "embedding"])
async def test_indexing_is_cancelled_at_any_stage_and_tried_again(alice: Account, stage: str) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    await at_stage(alice, document, stage)

    cancelled = await cancel(alice, document)

    assert (cancelled["status"], cancelled["stage"], cancelled["live_version"]) == ("failed", None, None)
    assert cancelled["error"] == {"code": "cancelled", "message": "Indexing was cancelled."}
    await asyncio.sleep(3)  # What ran would be through by now.
    assert (await alice.document(document))["status"] == "failed"
    assert (await alice.ask("What do blue whales eat?")).json()["sources"] == []

    again = await alice.client.post(f"{DOCUMENTS}/{document}/retry")
    assert (again.status_code, again.json()["status"], again.json()["error"]) == (202, "pending", None)
    assert (await alice.settled(document))["status"] == "ready"
    assert (await alice.ask("What do blue whales eat?")).json()["answer_status"] == "grounded"


async def test_who_watches_learns_that_it_was_cancelled(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    events = watched(alice, document)
    await anext(events)

    await cancel(alice, document)

    last = [event async for event in events][-1]
    assert (last.name, last.data["status"], last.data["error"]["code"]) == ("document", "failed", "cancelled")


async def test_what_has_ended_is_not_cancelled_and_only_what_failed_is_tried_again(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    assert code_of(await alice.client.post(f"{DOCUMENTS}/{document}/retry")) == (409, "document_state")
    await alice.settled(document)

    for deed in ("cancel", "retry"):
        assert code_of(await alice.client.post(f"{DOCUMENTS}/{document}/{deed}")) == (409, "document_state")

    failed = (await alice.upload("paper.pdf", b"%PDF-1.7\n" + b"broken " * 300)).json()["id"]
    assert (await alice.settled(failed))["error"]["code"] == "document_unreadable"
    assert code_of(await alice.client.post(f"{DOCUMENTS}/{failed}/cancel")) == (409, "document_state")
    assert (await alice.client.post(f"{DOCUMENTS}/{failed}/retry")).status_code == 202
    assert (await alice.settled(failed))["error"]["code"] == "document_unreadable"
