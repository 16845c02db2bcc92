"""Answers whose process died, where others live on."""

import asyncio
from datetime import timedelta
from uuid import UUID

from backend.core.ids import new_id
from backend.core.values.chat import Answer, MessageStatus, Timings, Usage
from backend.services.maintenance import MaintenanceService
from tests.support.workshop import Workshop

AT_ONCE = timedelta(0)
AGE = (
    "update messages set updated_at = updated_at - interval '1 minute', created_at = created_at - interval '1 minute' where id = $1"
)

RENEWED = "select from messages where id = $1 and updated_at > now() - interval '30 seconds'"


async def begun(workshop: Workshop, owner_id: UUID) -> tuple[UUID, UUID]:
    """Store a question as a process does that begins to answer it, and return the ids of the session and the answer."""
    session = await workshop.services.sessions.create(owner_id, title="t", document_ids=None)
    question_id, answer_id = new_id(), new_id()
    async with workshop.uow.of(owner_id) as tx:
        await tx.messages.add_turn(owner_id, session.id, question_id=question_id, question="Q", answer_id=answer_id, model="m")
    return session.id, answer_id


async def status(workshop: Workshop, answer_id: UUID) -> MessageStatus:
    (row,) = await workshop.rows("select status from messages where id = $1", answer_id)
    found: MessageStatus = row["status"]
    return found


async def test_answers_end_soon_after_their_process_fell_silent_and_others_go_on(workshop: Workshop) -> None:
    alice = await workshop.user()
    (busy, silent), (_, renewed) = await begun(workshop, alice), await begun(workshop, alice)
    for answer_id in (silent, renewed):
        await workshop.rows(AGE, answer_id)
    async with workshop.uow.system() as tx:
        await tx.messages.renew([renewed])

    await MaintenanceService(workshop.uow, lease=timedelta(seconds=50)).end_abandoned_answers()
    # Of the server of this run nobody knows how long it has been there.
    old = await workshop.rows("select pg_postmaster_start_time() < now() - interval '50 seconds' as old")
    assert await status(workshop, silent) == ("incomplete" if old[0]["old"] else "streaming")
    assert await status(workshop, renewed) == "streaming"

    await MaintenanceService(workshop.uow, lease=AT_ONCE).end_abandoned_answers()
    assert await status(workshop, silent) == "incomplete"
    async with workshop.uow.of(alice) as tx:
        await tx.messages.add_turn(alice, busy, question_id=new_id(), question="Again?", answer_id=new_id(), model="m")


async def test_what_a_release_gives_that_renews_nothing_has_an_hour(workshop: Workshop) -> None:
    _, answer_id = await begun(workshop, await workshop.user())
    await workshop.rows("update messages set updated_at = created_at where id = $1", answer_id)

    await MaintenanceService(workshop.uow, lease=AT_ONCE).end_abandoned_answers()
    assert await status(workshop, answer_id) == "streaming"


async def test_a_process_that_was_taken_for_dead_still_stores_its_answer_once(workshop: Workshop) -> None:
    alice = await workshop.user()
    session_id, answer_id = await begun(workshop, alice)
    await MaintenanceService(workshop.uow, lease=AT_ONCE).end_abandoned_answers()
    assert await status(workshop, answer_id) == "incomplete"

    late = Answer("Late.", session_id, answer_id, "complete", "no_documents", "m", (), Usage(1, 1, None), Timings(1.0, 1.0, 1.0))
    async with workshop.uow.of(alice) as tx:
        assert await tx.messages.finish(alice, late)
        assert not await tx.messages.finish(alice, late)
    shown = await workshop.services.sessions.messages(alice, session_id, limit=9, after=None)
    assert [(message.content, message.status, message.error_code) for message in shown.items][1:] == [("Late.", "complete", None)]


async def test_a_process_renews_what_it_gives(workshop: Workshop) -> None:
    _, answer_id = await begun(workshop, await workshop.user())
    await workshop.rows(AGE, answer_id)
    streams = workshop.services.streams
    streams._turns._running[answer_id] = (None, None)  # type: ignore[assignment] # nothing else is looked at
    renewing = asyncio.create_task(streams.renew_for_ever(every_seconds=0.01))
    try:
        async with asyncio.timeout(30):
            while True:
                if await workshop.rows(RENEWED, answer_id):
                    break
                await asyncio.sleep(0.02)
    finally:
        renewing.cancel()
        del streams._turns._running[answer_id]
