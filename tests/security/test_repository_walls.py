"""The first wall: with row-level security switched off, the repositories and services alone still keep owners apart."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from backend.core.errors import DocentError, DocumentNotFoundError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.chat import Answer, Timings, Usage
from backend.core.values.document import Chunk
from backend.core.values.page import Page
from backend.db.uow import Transaction
from tests.security.conftest import OWNED
from tests.support.workshop import Workshop

Things = SimpleNamespace
ANSWER = Answer("mine", new_id(), new_id(), "complete", "grounded", "m", (), Usage(1, 1, None), Timings(None, None, 1.0))

READS: dict[str, Callable[[Transaction, UUID, Things], Awaitable[Any]]] = {
    "sign_ins.user_of": lambda tx, me, hers: tx.sign_ins.user_of(me, hers.sign_in),
    "sessions.get": lambda tx, me, hers: tx.sessions.get(me, hers.session),
    "messages.history": lambda tx, me, hers: tx.messages.history(me, hers.session, limit=9),
    "messages.page": lambda tx, me, hers: tx.messages.page(me, hers.session, limit=9, after=None),
    "documents.get": lambda tx, me, hers: tx.documents.get(me, hers.document),
    "documents.by_sha256": lambda tx, me, hers: tx.documents.by_sha256(me, hers.sha256),
    "documents.statuses": lambda tx, me, hers: tx.documents.statuses(me, [hers.document]),
    "documents.lock": lambda tx, me, hers: tx.documents.lock(me, hers.document, status="ready"),
    "documents.deleted": lambda tx, me, hers: tx.documents.deleted(me, hers.deleted),
    "texts.slice": lambda tx, me, hers: tx.texts.slice(me, hers.document, start=0, end=9),
    "chunks.ids_of": lambda tx, me, hers: tx.chunks.ids_of(me, hers.document),
    "chunks.searchable": lambda tx, me, hers: tx.chunks.searchable(me, [hers.chunk]),
    "chunks.found": lambda tx, me, hers: tx.chunks.found(me, [hers.chunk]),
    "vectors.searchable": lambda tx, me, hers: tx.vectors.searchable(me, hers.generation, within=[hers.document]),
    "vectors.of_document": lambda tx, me, hers: tx.vectors.of_document(me, hers.generation, hers.document, unindexed_only=False),
    "lexicon.search": lambda tx, me, hers: tx.lexicon.search(me, "krill", language="english", within=[hers.document], limit=9),
}
WRITES: dict[str, Callable[[Transaction, UUID, Things], Awaitable[Any]]] = {
    "sign_ins.revoke": lambda tx, me, hers: tx.sign_ins.revoke(me, hers.sign_in),
    "sign_ins.rotate": lambda tx, me, hers: tx.sign_ins.rotate(me, hers.sign_in, refresh_hash=b"x", expires_at=hers.moment),
    "sessions.rename": lambda tx, me, hers: tx.sessions.rename(me, hers.session, "mine"),
    "sessions.touch": lambda tx, me, hers: tx.sessions.touch(me, hers.session, title="mine"),
    "sessions.delete": lambda tx, me, hers: tx.sessions.delete(me, hers.session),
    "messages.add_turn": lambda tx, me, hers: tx.messages.add_turn(
        me, hers.session, question_id=new_id(), question="Q", answer_id=new_id(), model="m"
    ),
    "messages.finish": lambda tx, me, hers: tx.messages.finish(
        me, replace(ANSWER, session_id=hers.session, message_id=hers.streaming)
    ),
    "documents.rename": lambda tx, me, hers: tx.documents.rename(me, hers.document, "mine"),
    "documents.update": lambda tx, me, hers: tx.documents.update(me, hers.document, status="failed"),
    "documents.start_attempt": lambda tx, me, hers: tx.documents.start_attempt(me, hers.pending),
    "documents.mark_deleted": lambda tx, me, hers: tx.documents.mark_deleted(me, hers.document),
    "documents.remove": lambda tx, me, hers: tx.documents.remove(me, hers.deleted),
    "texts.put": lambda tx, me, hers: tx.texts.put(me, hers.document, text="mine", pages=[]),
    "texts.delete": lambda tx, me, hers: tx.texts.delete(me, hers.document),
    "chunks.store": lambda tx, me, hers: tx.chunks.store(
        me, hers.document, [Chunk(new_id(), 99, None, None, 0, 1, "m")], ["m"], language="english"
    ),
    "chunks.delete": lambda tx, me, hers: tx.chunks.delete(me, hers.document),
    "vectors.store": lambda tx, me, hers: tx.vectors.store(me, hers.generation, [hers.chunk], [b"xx"]),
    "vectors.confirm": lambda tx, me, hers: tx.vectors.confirm(me, hers.generation, [hers.chunk]),
    "vectors.unconfirm": lambda tx, me, hers: tx.vectors.unconfirm(me, hers.generation),
    "lexicon.add_document": lambda tx, me, hers: tx.lexicon.add_document(me, hers.document),
    "lexicon.remove_document": lambda tx, me, hers: tx.lexicon.remove_document(me, hers.document),
}
# They take nobody's ids but the owner's own, or are the system's by design.
NOT_ABOUT_ANOTHERS_IDS = {
    *("users.add", "users.get", "users.set_password_hash", "users.set_full_name", "sign_ins.add", "sessions.add", "sessions.page"),
    *("documents.add", "documents.page", "generations.get", "generations.ensure", "generations.of_owner"),
    *("users.by_login", "sign_ins.locked", "documents.without_job", "vectors.unindexed_documents", "messages.end_abandoned"),
    *("generations.exist", "settings.get", "settings.remember", "settings.replace", "jobs.defer"),
}
STATE = {"documents": "title, status, deleted_at, attempts", "chat_sessions": "title", "auth_sessions": "refresh_hash, revoked_at",
         "chunk_vectors": "chunk_id, indexed, vector", "document_texts": "text", "chunks": "id", "messages": "id, content, status",
         "lexemes": "lexeme, frequency", "corpus_sizes": "chunks, total_length"}  # fmt: skip


@pytest.fixture
async def wall_down(workshop: Workshop) -> Workshop:
    for table in OWNED:
        await workshop.rows(f"alter table {table} disable row level security")
    return workshop


async def things_of(workshop: Workshop, owner_id: UUID) -> Things:
    deleted = await workshop.indexed(owner_id, "A diary that was thrown away.")
    await workshop.services.documents.delete(owner_id, deleted.id)
    pending = await workshop.uploaded(owner_id, "A diary that waits.")

    session, streaming = await workshop.services.sessions.create(owner_id, title="Open", document_ids=None), new_id()
    async with workshop.uow.of(owner_id) as tx:
        await tx.messages.add_turn(owner_id, session.id, question_id=new_id(), question="Q", answer_id=streaming, model="m")

    async def first(sql: str) -> Any:
        return (await workshop.rows(sql, owner_id))[0][0]

    document = await first("select id from documents where owner_id = $1 and status = 'ready' and deleted_at is null")
    return Things(
        document=document,
        sha256=await first("select sha256 from documents where owner_id = $1 and status = 'ready' and deleted_at is null"),
        deleted=deleted.id,
        pending=pending.id,
        chunk=(await workshop.rows("select id from chunks where document_id = $1", document))[0][0],
        generation=await first("select id from index_generations where owner_id = $1"),
        streaming=streaming,
        session=await first("select id from chat_sessions where owner_id = $1"),
        sign_in=await first("select id from auth_sessions where owner_id = $1"),
        moment=await first("select created_at from users where id = $1"),
    )


def is_empty(found: object) -> bool:
    if isinstance(found, Page):
        return not found.items
    return not (any(found) if isinstance(found, tuple) else found)


async def test_every_repository_method_is_in_one_of_these_tables(workshop: Workshop) -> None:
    async with workshop.uow.of(new_id()) as tx:
        methods = {
            f"{name}.{method}"
            for name, repository in vars(tx).items()
            for method, _ in inspect.getmembers(repository, inspect.iscoroutinefunction)
            if not method.startswith("_")
        }
    assert methods == set(READS) | set(WRITES) | NOT_ABOUT_ANOTHERS_IDS


async def test_reads_of_anothers_things_find_nothing_even_without_policies(wall_down: Workshop) -> None:
    alice, bob = await wall_down.furnished("alice"), await wall_down.furnished("bob")
    hers = await things_of(wall_down, alice)
    for name, read in READS.items():
        async with wall_down.uow.of(bob) as tx:
            assert is_empty(await read(tx, bob, hers)), name
        async with wall_down.uow.of(alice) as tx:
            assert not is_empty(await read(tx, alice, hers)), f"{name} finds nothing at all, so nothing is proven"


async def test_writes_to_anothers_things_change_nothing_even_without_policies(wall_down: Workshop) -> None:
    alice, bob = await wall_down.furnished("alice"), await wall_down.furnished("bob")
    hers = await things_of(wall_down, alice)

    statement = " union all ".join(
        f"(select '{table}' as source, to_jsonb(t)::text as row from (select owner_id, {columns} from {table}) t)"  # noqa: S608
        for table, columns in STATE.items()
    )

    async def state() -> list[Any]:
        return await wall_down.rows(f"{statement} order by source, row")

    before = await state()
    for name, write in WRITES.items():
        try:
            async with wall_down.uow.of(bob) as tx:
                outcome = await write(tx, bob, hers)
            assert not outcome, name
        except DocentError:
            pass  # A foreign key names the owner too; either is right, as long as nothing has changed.
        assert await state() == before, name


async def test_services_call_anothers_things_missing_even_without_policies(wall_down: Workshop) -> None:
    alice, bob = await wall_down.furnished("alice"), await wall_down.furnished("bob")
    hers = await things_of(wall_down, alice)
    documents, sessions = wall_down.services.documents, wall_down.services.sessions

    for call in (
        documents.get(bob, hers.document),
        documents.rename(bob, hers.document, "mine"),
        documents.text(bob, hers.document, start=0, end=9),
        documents.file(bob, hers.document),
        documents.delete(bob, hers.document),
        sessions.create(bob, title="t", document_ids=[hers.document]),
    ):
        with pytest.raises(DocumentNotFoundError):
            await call
    for other in (
        sessions.get(bob, hers.session),
        sessions.rename(bob, hers.session, "mine"),
        sessions.messages(bob, hers.session, limit=9, after=None),
        sessions.delete(bob, hers.session),
    ):
        with pytest.raises(SessionNotFoundError):
            await other
    await documents.index(bob, hers.pending)
    await documents.purge(bob, hers.deleted)
    await documents.purge_file(bob, hers.deleted)
    await documents.confirm(bob, hers.document)
    assert (await documents.get(alice, hers.pending)).status == "pending"
    assert await wall_down.rows("select from documents where id = $1", hers.deleted)
    found = await wall_down.retriever.retrieve(bob, "What krill does alice eat?", within=[hers.document])
    assert found.passages == ()
    everything = await wall_down.retriever.retrieve(bob, "Whose diary, alice's? krill", within=None)
    assert [passage.text for passage in everything.passages] == ["The diary of bob: whales eat krill."]
    assert (await wall_down.services.profile.me(bob)).username.startswith("bob-")
