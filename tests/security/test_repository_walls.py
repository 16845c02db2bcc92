"""The first wall: with row-level security switched off, the repositories and services alone still keep owners apart."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backend.core.errors import DocentError, DocumentNotFoundError, NotFoundError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.user import Caller, Origin
from tests.security.conftest import OWNED, connected
from tests.security.repository_calls import (
    NOT_ABOUT_ANOTHERS_IDS,
    OWN_READS,
    OWN_WRITES,
    READS,
    WRITES,
    everything_of,
    is_empty,
    things_of,
)
from tests.support.workshop import Workshop


@pytest.fixture
async def wall_down(workshop: Workshop) -> Workshop:
    for table in OWNED:
        await workshop.rows(f"alter table {table} disable row level security")
    return workshop


@asynccontextmanager
async def behind(workshop: Workshop) -> AsyncIterator[Any]:
    async with connected(workshop.database.owner_url) as connection:
        await connection.execute("select set_config('docent.mode', 'system', true)")
        yield connection


async def test_every_repository_method_is_in_one_of_these_tables(workshop: Workshop) -> None:
    async with workshop.uow.of(new_id()) as tx:
        methods = {
            f"{name}.{method}"
            for name, repository in vars(tx).items()
            for method, _ in inspect.getmembers(repository, inspect.iscoroutinefunction)
            if not method.startswith("_")
        }
    assert methods == {*READS, *WRITES, *OWN_READS, *OWN_WRITES} | NOT_ABOUT_ANOTHERS_IDS


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

    async with behind(wall_down) as connection:
        before = await everything_of(connection, alice) + await everything_of(connection, bob)
        for name, write in WRITES.items():
            try:
                async with wall_down.uow.of(bob) as tx:
                    outcome = await write(tx, bob, hers)
                assert not outcome, name
            except DocentError:
                pass  # A foreign key names the owner too; either is right, as long as nothing has changed.
            assert await everything_of(connection, alice) + await everything_of(connection, bob) == before, name


async def test_what_is_asked_about_oneself_finds_and_changes_nobody_elses_even_without_policies(wall_down: Workshop) -> None:
    bob, mine = await wall_down.furnished("bob"), {}
    things = await things_of(wall_down, bob)
    for name, read in OWN_READS.items():
        async with wall_down.uow.of(bob) as tx:
            mine[name] = await read(tx, bob, things)
        assert not is_empty(mine[name]), name

    alice = await wall_down.furnished("alice")
    hers = await things_of(wall_down, alice)
    for name, read in OWN_READS.items():
        async with wall_down.uow.of(bob) as tx:
            assert await read(tx, bob, hers) == mine[name], name
    async with behind(wall_down) as connection:
        before = await everything_of(connection, alice)
        for name, write in OWN_WRITES.items():
            async with wall_down.uow.of(bob) as tx:
                await write(tx, bob, hers)
            assert await everything_of(connection, alice) == before, name


async def test_leftovers_are_those_of_deleted_accounts_only(workshop: Workshop) -> None:
    alice, bob = await workshop.furnished("alice"), await workshop.furnished("bob")
    await workshop.services.administration.delete(Caller(bob, "admin", "free"), bob, origin=Origin())
    async with behind(workshop) as connection:
        before = await everything_of(connection, alice)
        for owner_id, deleted in ((alice, False), (bob, True)):
            async with workshop.uow.system() as tx:
                assert bool(await tx.leftovers.collections(owner_id)) == deleted
                assert bool(await tx.leftovers.files(owner_id, limit=9)) == deleted
                assert await tx.leftovers.clear(owner_id) == deleted
                await tx.leftovers.remove_account(owner_id)
        assert await everything_of(connection, alice) == before
        assert await everything_of(connection, bob) == []


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
        sessions.update(bob, hers.session, title="mine"),
        sessions.messages(bob, hers.session, limit=9, after=None),
        sessions.branch(bob, hers.session, hers.answer),
        sessions.rate(bob, hers.session, hers.answer, rating="up", comment=None),
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
    for gone in (
        wall_down.services.keys.revoke(bob, hers.api_key, origin=Origin()),
        wall_down.services.profile.revoke_sign_in(Caller(bob, "user", "free"), hers.sign_in, origin=Origin()),
        wall_down.services.chat.answer(bob, hers.answer),
    ):
        with pytest.raises(NotFoundError):
            await gone
    assert await wall_down.services.idempotency.begin(bob, hers.key_of_request, "mine") is None
