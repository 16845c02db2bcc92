"""A change of the embedding model: built beside the old one, resumed, reversed, overtaken, and in the end without a trace."""

import asyncio

import pytest

from backend.core.errors import EmbedderUnavailableError, EmbedderUnusableError
from backend.core.failpoints import FailpointError, arm
from tests.support.files import long_text
from tests.support.soundness import assert_settled
from tests.support.two_models import TwoModels, do_all, do_next, ids_in

TEXT = long_text(30).decode()
OTHER = long_text(8, "planet").decode()


async def test_a_change_embeds_everything_once_beside_the_old_vectors_and_switches(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    await do_all(workshop)

    state = await workshop.services.reindexing.change(small.identity)
    assert (state.owners, state.switched, state.chunks_missing) == (1, 0, document.chunks)
    assert await models.answering(alice) == models.large.identity
    again = await workshop.services.reindexing.change(small.identity)
    assert again == state
    assert await do_all(workshop) == ["build_generation"]

    state = await workshop.services.reindexing.state()
    assert (state.embedder, state.switched, state.chunks_missing, state.retired) == (small.identity, 1, 0, 1)
    assert len(models.embedded(small)) == document.chunks
    found = await workshop.retriever.retrieve(alice, "What was catalogued about subject 17?", within=None)
    assert ("subject 17 " in found.passages[0].text, found.degraded) == (True, ())
    await assert_settled(workshop, alice)


@pytest.mark.parametrize("place", ["build.embedded", "build.stored", "build.switching"])
async def test_a_change_that_dies_half_way_goes_on_and_embeds_nothing_twice(models: TwoModels, place: str) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    await do_all(workshop)
    await workshop.services.reindexing.change(small.identity)

    arm(f"{place}=raise{'' if place == 'build.switching' else '@2'}")
    with pytest.raises(FailpointError):
        await do_all(workshop)
    assert await models.answering(alice) == models.large.identity
    assert (await workshop.retriever.retrieve(alice, "subject 17", within=None)).passages
    arm("")
    await do_all(workshop)

    assert await models.answering(alice) == small.identity
    lost = small.batch_size if place == "build.embedded" else 0
    assert len(models.embedded(small)) == document.chunks + lost, "only what was embedded and not stored is embedded again"
    await workshop.services.maintenance.reconcile()  # What was stored and not offered to the index.
    await do_all(workshop)
    await assert_settled(workshop, alice)


async def test_a_change_that_is_cancelled_or_waits_for_its_model_goes_on(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    await workshop.services.reindexing.change(small.identity)
    reached = asyncio.Event()

    async def block(call: int) -> None:
        if call == 3:
            reached.set()
            await asyncio.Event().wait()

    small.before = block
    building = asyncio.create_task(do_all(workshop, "build_generation"))
    await reached.wait()
    building.cancel()
    await asyncio.wait([building])
    assert building.cancelled()
    small.fail(EmbedderUnavailableError(), at=2)
    with pytest.raises(EmbedderUnavailableError):
        await do_all(workshop)
    stored = len(await workshop.rows("select from chunk_vectors where length(vector) = 128"))
    assert stored == 9, "three batches of three: two before the cancellation, and one before the outage"

    small.mend()
    await do_all(workshop)
    assert len(models.embedded(small)) == document.chunks - stored
    assert await models.answering(alice) == small.identity


async def test_a_change_back_embeds_only_what_is_new(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    old = await workshop.indexed(alice, TEXT)
    gone = await workshop.indexed(alice, OTHER)
    await workshop.services.reindexing.change(small.identity)
    await do_all(workshop)
    new = await workshop.indexed(alice, "Blue whales eat krill.")
    await workshop.services.documents.delete(alice, gone.id)
    await do_all(workshop)
    models.large.mend()

    await workshop.services.reindexing.change(models.large.identity)
    await do_all(workshop)

    assert models.embedded(models.large) == ["Blue whales eat krill."]
    assert await models.answering(alice) == models.large.identity
    rows = await workshop.rows("select distinct document_id from chunks")
    assert {row["document_id"] for row in rows} == {old.id, new.id}
    await assert_settled(workshop, alice)


async def test_old_generations_go_without_a_trace_when_told(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    document = await workshop.indexed(alice, TEXT)
    (before,) = await workshop.rows("select * from index_generations")
    await workshop.services.reindexing.change(models.small.identity)
    assert await workshop.services.reindexing.drop_old() == 0, "it answers"
    await do_all(workshop)

    assert await workshop.services.reindexing.drop_old() == 1

    assert await ids_in(workshop.index, before["collection"]) == set()
    assert len(await workshop.rows("select from chunk_vectors")) == document.chunks
    assert len(await workshop.rows("select from index_generations")) == 1
    await assert_settled(workshop, alice)


async def test_old_generations_go_while_the_index_is_away_and_their_collections_once_it_is_back(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, OTHER)
    (before,) = await workshop.rows("select * from index_generations")
    await workshop.services.reindexing.change(models.small.identity)
    await do_all(workshop)
    workshop.index.down = True
    assert await workshop.services.reindexing.drop_old() == 1
    workshop.index.down = False
    assert await ids_in(workshop.index, before["collection"]) != set()
    await do_all(workshop)
    assert await ids_in(workshop.index, before["collection"]) == set()
    assert await workshop.services.reindexing.drop_old() == 0


async def test_a_change_that_another_overtakes_in_its_last_moment_does_not_switch(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    await workshop.indexed(alice, TEXT)
    await do_all(workshop)
    await workshop.services.reindexing.change(small.identity)
    arm("build.switching=sleep:1")
    building = asyncio.create_task(do_all(workshop))
    async with asyncio.timeout(60):
        while (await workshop.services.reindexing.state()).chunks_missing:  # noqa: ASYNC110 - the database does not say
            await asyncio.sleep(0.02)

    await workshop.services.reindexing.change(models.large.identity)
    await building

    assert await models.answering(alice) == models.large.identity
    assert (await workshop.services.reindexing.state()).retired == 1
    await assert_settled(workshop, alice)


async def test_a_change_that_was_cut_short_between_two_owners_is_finished_by_the_clock(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    for owner_id in (alice, bob):
        await workshop.indexed(owner_id, OTHER)
    await do_all(workshop)
    # The choice is written, and the process is gone before it has told anybody.
    await workshop.rows("update settings set value = to_jsonb($1::text) where key = 'embedder'", small.identity)

    for _ in range(2):
        await workshop.services.reindexing.resume()
    assert await do_all(workshop) == ["build_generation"] * 2

    assert [await models.answering(owner_id) for owner_id in (alice, bob)] == [small.identity] * 2


async def test_new_owners_begin_with_the_new_model(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    await workshop.services.reindexing.change(small.identity)
    alice = await workshop.user()
    await workshop.indexed(alice, OTHER)
    assert (await models.answering(alice), models.large.calls) == (small.identity, 0)


async def test_the_first_documents_of_an_owner_agree_on_a_model_while_it_is_changed(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    first, second = await workshop.uploaded(alice, OTHER), await workshop.uploaded(alice, TEXT)
    arm("index.parsed=sleep:0.4")
    attempts = [asyncio.create_task(workshop.attempted(document)) for document in (first, second)]
    await asyncio.sleep(0.2)
    await workshop.services.reindexing.change(small.identity)  # Both have chosen the old one, and neither has written it down.
    await asyncio.gather(*attempts)
    arm("")
    await do_all(workshop)

    assert [(await workshop.services.documents.get(alice, one.id)).status for one in (first, second)] == ["ready"] * 2
    assert await models.answering(alice) == small.identity
    await assert_settled(workshop, alice)


async def test_a_document_that_the_switch_overtakes_is_embedded_by_the_new_model_without_an_attempt_lost(models: TwoModels) -> None:
    workshop, small = models.workshop, models.small
    alice = await workshop.user()
    await workshop.indexed(alice, OTHER)
    await do_all(workshop)
    late = await workshop.uploaded(alice, TEXT)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def block(call: int) -> None:
        if call == models.large.calls == 5:
            reached.set()
            await go_on.wait()

    models.large.calls, models.large.before = 2, block
    attempt = asyncio.create_task(do_next(workshop, "index_document"))
    await reached.wait()
    await workshop.services.reindexing.change(small.identity)
    await do_all(workshop, "build_generation")
    calls = models.large.calls
    go_on.set()
    await attempt

    assert models.large.calls == calls, "it does not go on with the old model"
    waiting = await workshop.services.documents.get(alice, late.id)
    assert (waiting.status, waiting.attempts) == ("pending", 0)
    await do_all(workshop)
    ready = await workshop.services.documents.get(alice, late.id)
    assert (ready.status, ready.tokens_embedded) == ("ready", ready.tokens_extracted)
    await assert_settled(workshop, alice)


async def test_a_model_that_nobody_serves_or_that_is_away_changes_nothing(models: TwoModels) -> None:
    workshop = models.workshop
    alice = await workshop.user()
    await workshop.indexed(alice, OTHER)
    with pytest.raises(EmbedderUnusableError):
        await workshop.services.reindexing.change("nobody/knows")
    state = await workshop.services.reindexing.state()
    assert (state.embedder, state.switched) == (models.large.identity, 1)
