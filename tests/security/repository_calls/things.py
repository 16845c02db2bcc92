"""Somebody's things, for calls to reach for."""

from typing import Any
from uuid import UUID

from backend.core.ids import new_id
from backend.core.values.page import Page
from backend.services.embedders import new_generation
from tests.security.conftest import OWNED
from tests.security.repository_calls.calls import Things
from tests.support.workshop import PLAINLY, Workshop


async def things_of(workshop: Workshop, owner_id: UUID) -> Things:
    deleted = await workshop.indexed(owner_id, "A diary that was thrown away.")
    await workshop.services.documents.delete(owner_id, deleted.id)
    pending = await workshop.uploaded(owner_id, "A diary that waits.")

    ((api_key,),) = await workshop.rows("select id from api_keys where owner_id = $1", owner_id)
    session, streaming = await workshop.services.sessions.create(owner_id, title="Open", document_ids=None), new_id()
    async with workshop.uow.of(owner_id) as tx:
        await tx.messages.add_turn(owner_id, session.id, question_id=new_id(), question="Q", answer_id=streaming, model="m")

        await tx.tasks.add(
            owner_id, task_id=(task := new_id()), session_id=session.id, message_id=streaming, key_id=api_key, request=PLAINLY
        )
        running_task = await tx.tasks.start_attempt(owner_id, task)

    running, bound = f"running {owner_id}", f"bound {owner_id}"
    await workshop.services.idempotency.begin(owner_id, running, "query", b"x")
    answered = (await workshop.services.sessions.create(owner_id, title="Q", document_ids=None)).id
    answer = await workshop.turn(owner_id, answered)
    untitled = (await workshop.services.sessions.create(owner_id, title=None, document_ids=None)).id
    await workshop.services.idempotency.begin(owner_id, bound, "query", b"x")
    async with workshop.uow.of(owner_id) as tx:
        await tx.idempotency.bind(owner_id, bound, answer)
        message = await tx.messages.get(owner_id, answer)
    # So that there is something to confirm, and something to forget.
    late = "update chunk_vectors v set indexed = false from chunks c where c.id = v.chunk_id and c.document_id = $1 returning c.id"
    (late_chunk,) = await workshop.rows(late, deleted.id)
    cancelled = await workshop.uploaded(owner_id, "A diary that was given up.")
    await workshop.services.documents.index(owner_id, cancelled.id)
    await workshop.rows("update documents set status = 'failed', live_version = null where id = $1", cancelled.id)
    async with workshop.uow.of(owner_id) as tx:
        generation = await tx.generations.ready(owner_id)
        building, collection = new_generation(owner_id)
        await tx.generations.ensure(owner_id, "another", generation_id=building, dimensions=2, collection=collection, building=True)
        retired, collection = new_generation(owner_id)
        await tx.generations.ensure(owner_id, "a third", generation_id=retired, dimensions=2, collection=collection, building=True)
        await tx.generations.retire(owner_id, retired)
    assert generation is not None
    await workshop.rows("insert into lexemes (owner_id, lexeme, frequency) values ($1, 'forgotten', 0)", owner_id)

    async def first(sql: str) -> Any:
        return (await workshop.rows(sql, owner_id))[0][0]

    document = await first("select id from documents where owner_id = $1 and status = 'ready' and deleted_at is null")
    return Things(
        document=document,
        sha256=await first("select sha256 from documents where owner_id = $1 and status = 'ready' and deleted_at is null"),
        deleted=deleted.id,
        pending=pending.id,
        chunk=(await workshop.rows("select id from chunks where document_id = $1", document))[0][0],
        late_chunk=late_chunk["id"],
        cancelled=cancelled.id,
        blob_key=pending.blob_key,
        generation=generation.id,
        collection=generation.collection,
        building=building,
        built_by="a third",
        fresh=new_id(),
        open=session.id,
        task=task,
        running_task=running_task,
        ended_task=await first("select id from tasks where owner_id = $1 and state = 'succeeded'"),
        streaming=streaming,
        answer=answer,
        answered=answered,
        message=message,
        untitled=untitled,
        key_of_request=running,
        bound_key=bound,
        api_key=api_key,
        session=await first("select id from chat_sessions where owner_id = $1"),
        sign_in=await first("select id from auth_sessions where owner_id = $1"),
        moment=await first("select created_at from users where id = $1"),
    )


async def everything_of(connection: Any, owner_id: UUID) -> list[str]:
    """Return every row that is somebody's, over a connection that sees it."""
    parts = (f"select '{t} ' || to_jsonb({t})::text from {t} where {column} = $1" for t, column in OWNED.items())  # noqa: S608 - ours
    return sorted(row[0] for row in await connection.fetch(" union all ".join(parts), owner_id))


def is_empty(found: object) -> bool:
    if isinstance(found, Page):
        return not found.items
    return not (any(found) if isinstance(found, tuple) else found)
