"""Conversations: pages, names, ends."""

from uuid import UUID

import pytest

from backend.core.errors import DocumentNotFoundError, SessionNotFoundError
from backend.core.ids import new_id
from backend.core.values.chat import Usage
from backend.core.values.page import Cursor, CursorInvalidError
from backend.services.registry import Services
from tests.support.files import a_file
from tests.support.workshop import Workshop


async def test_pages_lose_and_repeat_nothing_where_times_are_equal(workshop: Workshop) -> None:
    alice, bob = await workshop.user("alice"), await workshop.user("bob")
    sessions = workshop.services.sessions
    mine = {(await sessions.create(alice, title=f"{number}", document_ids=None)).id for number in range(7)}
    await sessions.create(bob, title="not hers", document_ids=None)
    await workshop.rows("update chat_sessions set updated_at = '2026-01-01 12:00:00.123456+00'")
    newest = await sessions.create(alice, title="newest", document_ids=None)

    seen: list[UUID] = []
    after = None
    while True:
        page = await sessions.page(alice, limit=3, after=after)
        seen += [session.id for session in page.items]
        if page.next_cursor is None:
            break
        after = Cursor.decode(page.next_cursor.encode())
    assert seen == [newest.id, *sorted(mine, reverse=True)]
    assert (await sessions.page(alice, limit=len(seen), after=None)).next_cursor is None


@pytest.mark.parametrize("key", ["", "soon", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "١٢", "2026\x00"])
async def test_a_cursor_of_another_list_or_a_made_up_one_is_refused(services: Services, alice: UUID, key: str) -> None:
    cursor = Cursor(key, new_id())
    with pytest.raises(CursorInvalidError):
        await services.sessions.page(alice, limit=3, after=cursor)
    with pytest.raises(CursorInvalidError):
        await services.documents.page(alice, limit=3, after=cursor)


async def test_somebody_elses_cursor_is_only_a_position(services: Services, alice: UUID, bob: UUID) -> None:
    hers = [(await services.sessions.create(alice, title="t", document_ids=None)).id for _ in range(2)]
    cursor = (await services.sessions.page(alice, limit=1, after=None)).next_cursor
    assert (await services.sessions.page(bob, limit=5, after=cursor)).items == []
    assert [session.id for session in (await services.sessions.page(alice, limit=5, after=cursor)).items] == hers[:1]


async def test_deleting_a_conversation_takes_its_messages_and_sources_along_and_no_others(workshop: Workshop) -> None:
    alice = await workshop.user()
    doomed, kept = [await workshop.services.sessions.create(alice, title="t", document_ids=None) for _ in range(2)]
    for session in (doomed, kept):
        await workshop.turn(alice, session.id)

    await workshop.services.sessions.delete(alice, doomed.id)

    assert {row["session_id"] for row in await workshop.rows("select session_id from messages")} == {kept.id}
    assert len(await workshop.rows("select from message_sources")) == 1
    for call in (
        workshop.services.sessions.get(alice, doomed.id),
        workshop.services.sessions.update(alice, doomed.id, title="x"),
        workshop.services.sessions.messages(alice, doomed.id, limit=3, after=None),
        workshop.services.sessions.delete(alice, doomed.id),
    ):
        with pytest.raises(SessionNotFoundError):
            await call


async def test_messages_come_oldest_first_in_pages_with_their_sources(workshop: Workshop) -> None:
    alice = await workshop.user()
    session = await workshop.services.sessions.create(alice, title="t", document_ids=None)
    for number in (1, 2, 3):
        await workshop.turn(alice, session.id, number)

    first = await workshop.services.sessions.messages(alice, session.id, limit=4, after=None)
    second = await workshop.services.sessions.messages(alice, session.id, limit=4, after=first.next_cursor)

    said = [message.content for message in (*first.items, *second.items)]
    assert said == [f"{kind} {number}" for number in (1, 2, 3) for kind in ("Question", "Answer")]
    assert second.next_cursor is None
    assert [len(message.sources) for message in first.items] == [0, 1, 0, 1]
    assert (first.items[1].sources[0].quote, first.items[1].usage) == ("text", Usage(1, 2, None))


async def test_a_conversation_about_somebody_elses_document_is_refused_as_about_a_missing_one(
    services: Services, alice: UUID, bob: UUID
) -> None:
    hers = await services.documents.upload(alice, a_file())
    for owner, ids in ((bob, [hers.id]), (alice, [hers.id, new_id()])):
        with pytest.raises(DocumentNotFoundError):
            await services.sessions.create(owner, title="t", document_ids=ids)

    session = await services.sessions.create(alice, title="t", document_ids=[hers.id, hers.id])
    assert (await services.sessions.get(alice, session.id)).document_ids == (hers.id, hers.id)
    assert (await services.sessions.update(alice, session.id, title="new")).title == "new"
    assert (await services.sessions.page(bob, limit=3, after=None)).items == []


async def test_answers_of_a_process_that_is_gone_end_incomplete(workshop: Workshop) -> None:
    alice = await workshop.user()
    sessions = [await workshop.services.sessions.create(alice, title="t", document_ids=None) for _ in range(2)]
    for session in sessions:
        async with workshop.uow.of(alice) as tx:
            await tx.messages.add_turn(alice, session.id, question_id=new_id(), question="Q", answer_id=new_id(), model="m")
    await workshop.rows("update messages set updated_at = now() - interval '2 hours' where session_id = $1", sessions[0].id)

    async def statuses() -> list[str]:
        found = [await workshop.services.sessions.messages(alice, session.id, limit=9, after=None) for session in sessions]
        return [page.items[1].status for page in found]

    await workshop.services.maintenance.end_abandoned_answers()
    assert await statuses() == ["incomplete", "streaming"]
    await workshop.services.maintenance.end_abandoned_answers(all_of_them=True)
    assert await statuses() == ["incomplete", "incomplete"]


async def test_a_process_that_dies_while_it_gives_an_answer_anew_leaves_the_old_one(workshop: Workshop) -> None:
    alice = await workshop.user()
    session = await workshop.services.sessions.create(alice, title=None, document_ids=None)
    old = await workshop.turn(alice, session.id)
    async with workshop.uow.of(alice) as tx:
        await tx.messages.add_answer(alice, session.id, answer_id=new_id(), model="m")

    await workshop.services.maintenance.end_abandoned_answers(all_of_them=True)

    shown = await workshop.services.sessions.messages(alice, session.id, limit=9, after=None)
    assert [(message.content, message.status) for message in shown.items] == [("Question 1", "complete"), ("Answer 1", "complete")]
    branch = await workshop.services.sessions.branch(alice, session.id, old)
    assert len((await workshop.services.sessions.messages(alice, branch.id, limit=9, after=None, superseded=True)).items) == 2
    assert len(await workshop.rows("select from messages where superseded")) == 1
