"""The progress of a document, event by event."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.types import Message

from backend.api.progress import ProgressStream, Watches, Watching
from backend.core.clock import now
from backend.core.errors import DatabaseUnavailableError, RateLimitedError
from backend.core.values.document import Document, DocumentStatus
from tests.api.test_indexing.watching import DOCUMENTS, watched
from tests.conftest import ApplicationFactory, registered
from tests.support.files import WHALES
from tests.support.product import Account, running_product
from tests.support.wire import connected


async def test_the_stages_are_seen_in_their_order_and_the_stream_ends_with_the_last(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]

    events = [event async for event in watched(alice, document)]

    states = [(event.data["status"], event.data["stage"]) for event in events]
    seen = list(dict.fromkeys(states))
    assert seen[-3:] == [("processing", "reading"), ("processing", "embedding"), ("ready", None)]
    assert states == sorted(states, key=seen.index), "nothing goes back"
    assert {event.name for event in events} == {"document"}
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[-1].data == await alice.document(document)


async def test_a_document_that_has_ended_is_told_once(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    ready = await alice.settled(document)

    assert [(event.name, event.data) async for event in watched(alice, document)] == [("document", ready)]


async def test_who_watches_a_document_learns_that_it_was_deleted(alice: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]
    events = watched(alice, document)
    first = await anext(events)

    assert (await alice.client.delete(f"{DOCUMENTS}/{document}")).status_code == 204

    rest = [event async for event in events]
    assert first.name == "document"
    assert (rest[-1].name, rest[-1].data) == ("deleted", {"id": document})
    assert (await alice.client.get(f"{DOCUMENTS}/{document}/events")).json()["code"] == "document_not_found"


async def test_a_stream_needs_a_credential_and_sends_problems_before_it_begins(alice: Account, bob: Account) -> None:
    document = (await alice.upload("whales.md", WHALES)).json()["id"]

    foreign = await bob.client.get(f"{DOCUMENTS}/{document}/events")
    missing = await bob.client.get(f"{DOCUMENTS}/{uuid4()}/events")

    assert (foreign.status_code, foreign.headers["content-type"]) == (404, "application/problem+json")
    assert {**foreign.json(), "request_id": ""} == {**missing.json(), "request_id": ""}


async def test_a_server_that_stops_does_not_wait_for_documents(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"chat_provider": "extractive", "embedder": "hashing", "worker": False}
    async with running_product(tmp_path / "data", shutdown_grace_seconds=300, **settings) as product, product.account() as alice:
        document = (await alice.upload("whales.md", WHALES)).json()["id"]
        async with connected(product.url) as wire:
            await wire.begin("GET", f"{DOCUMENTS}/{document}/events", Authorization=f"Bearer {alice.access_token}")
            await wire.some(b"event: document")
            stopping = asyncio.create_task(product.stop())
            rest = await wire.some(b"0\r\n\r\n", within=30)
            await stopping

    assert b"event:" not in rest
    assert "Traceback" not in "".join(product.lines)


def a_document(status: DocumentStatus, *, done: int = 0) -> Document:
    moment, owner = now(), uuid4()
    return Document(
        id=owner, owner_id=owner, title="T", filename="t.md", media_type="text/markdown", size=1, sha256="0", blob_key="k",
        file_lost=False, version=1, live_version=None, status=status, progress_done=done, progress_total=9, stage=None,
        waiting_for=None, error_code=None, error_message=None, language=None, notes=(), pages=None, chunks=0,
        tokens_extracted=None, tokens_embedded=None,
        attempts=1, created_at=moment, updated_at=moment, queued_at=moment, ready_at=None,
    )  # fmt: skip


class Library:
    """Has one document, whose states are told one by one; an error among them is an outage, and the end is a silence."""

    def __init__(self, *states: Document | Exception) -> None:
        self.states = list(states)
        self.looking = 0

    async def watch(self, _owner_id: UUID, _document_id: UUID) -> AsyncIterator[Document]:
        self.looking += 1
        try:
            while self.states:
                state = self.states.pop(0)
                if isinstance(state, Exception):
                    raise state
                yield state
            await asyncio.Event().wait()
        finally:
            self.looking -= 1


class Client:
    """The server's side of a connection; ``gone`` ends it."""

    def __init__(self) -> None:
        self.body = b""
        self.gone, self.served = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message) -> None:
        self.body += message.get("body", b"")
        if self.body:
            self.served.set()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def test_who_leaves_is_not_looked_after_any_more() -> None:
    library, client = Library(a_document("processing")), Client()
    stream = ProgressStream(Watching(library.watch, uuid4(), uuid4()))
    response = asyncio.create_task(stream({}, client.receive, client.send))
    await client.served.wait()
    assert library.looking == 1

    client.gone.set()
    async with asyncio.timeout(30):
        await response

    assert library.looking == 0
    assert client.body.count(b"event: document") == 1


async def test_an_outage_of_the_database_is_waited_for_and_changes_nothing() -> None:
    outage = DatabaseUnavailableError()
    outage.retry_after_seconds = 0
    same = a_document("processing", done=1)
    library, client = Library(same, outage, same, outage, outage, a_document("ready", done=9)), Client()

    await ProgressStream(Watching(library.watch, uuid4(), uuid4()))({}, client.receive, client.send)

    assert client.body.count(b"event: document") == 2
    assert b'"status":"ready"' in client.body


async def test_streams_that_are_told_to_stop_end_at_once_without_a_last_word() -> None:
    watches, library = Watches(), Library(a_document("pending"), a_document("processing"))
    clients = [Client(), Client()]
    streams = [watches.stream(library.watch, uuid4(), uuid4()) for _ in clients]
    responses = [
        asyncio.create_task(stream({}, client.receive, client.send)) for stream, client in zip(streams, clients, strict=True)
    ]
    await asyncio.sleep(0.05)

    watches.stop()
    async with asyncio.timeout(30):
        await asyncio.gather(*responses)

    assert [client.body.count(b"event:") for client in clients] == [1, 1]
    assert library.looking == 0


async def test_an_account_watches_twenty_documents_and_no_answer_loses_its_place(application: ApplicationFactory) -> None:
    async with application(settings={"limits_enabled": True}) as running:
        usage, owner = running.services.usage, await registered(running.services, "carol")
        watching = [usage.enter_watch(owner) for _ in range(20)]
        for each in watching:
            await each.__aenter__()

        with pytest.raises(RateLimitedError) as refused:
            await usage.enter_watch(owner).__aenter__()
        async with usage.enter_stream(owner, "free"):
            pass
        for each in watching:
            await each.__aexit__(None, None, None)
        async with usage.enter_watch(owner):
            pass

    assert refused.value.details == {"limit": "watched_documents"}
