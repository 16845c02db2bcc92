"""Keys of repeated requests: who runs, who waits, who gets what was made."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.config import plain_url
from backend.core.errors import (
    DocumentNotFoundError,
    DuplicateDocumentError,
    IdempotencyKeyBusyError,
    IdempotencyKeyReusedError,
    ModelUnavailableError,
)
from backend.core.values.chat import Question
from backend.core.values.idempotency import StoredOutcome, upload_fingerprint
from backend.services.idempotency import KEPT, LEASE
from backend.services.registry import Services
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
from tests.support.files import a_file, in_pieces

QUERY, UPLOAD = "query", "upload"
PRINT = b"fingerprint"


async def let_pass(database: Database, owner_id: UUID, key: str, time: timedelta) -> None:
    """Make a key older than it is."""
    connection = await asyncpg.connect(plain_url(database.owner_url))
    try:
        await connection.execute("select set_config('docent.mode', 'system', false)")
        changed = await connection.execute(
            "update idempotency_keys set created_at = created_at - $1::interval where owner_id = $2 and key = $3",
            time,
            owner_id,
            key,
        )
        assert changed == "UPDATE 1"
    finally:
        await connection.close()


async def stored(services: Services, owner_id: UUID, key: str, operation: str = QUERY) -> StoredOutcome:
    outcome = await services.idempotency.begin(owner_id, key, operation, PRINT if operation == QUERY else b"")
    assert outcome is not None
    return outcome


async def test_the_first_runs_the_second_waits_and_then_gets_the_outcome(services: Services, alice: UUID) -> None:
    assert await services.idempotency.begin(alice, "k", "background", PRINT) is None
    with pytest.raises(IdempotencyKeyBusyError):
        await services.idempotency.begin(alice, "k", "background", PRINT)

    await services.idempotency.finish(alice, "k", status=202, headers={"Location": "/x"}, body=b"{}")

    outcome = await services.idempotency.begin(alice, "k", "background", PRINT)
    assert outcome == StoredOutcome(PRINT, 202, None, {"Location": "/x"}, b"{}")


async def test_of_many_at_once_exactly_one_runs(services: Services, alice: UUID) -> None:
    begun = await asyncio.gather(
        *(services.idempotency.begin(alice, "many", QUERY, PRINT) for _ in range(20)), return_exceptions=True
    )

    assert [outcome for outcome in begun if outcome is None] == [None]
    assert sum(isinstance(outcome, IdempotencyKeyBusyError) for outcome in begun) == 19


async def test_another_body_or_another_operation_is_refused_running_or_not(services: Services, alice: UUID) -> None:
    await services.idempotency.begin(alice, "k", QUERY, PRINT)
    for _ in range(2):
        with pytest.raises(IdempotencyKeyReusedError):
            await services.idempotency.begin(alice, "k", QUERY, b"another")
        with pytest.raises(IdempotencyKeyReusedError):
            await services.idempotency.begin(alice, "k", UPLOAD)
        await services.idempotency.finish(alice, "k", status=200, headers={}, body=b"")


async def test_the_same_key_of_somebody_else_is_another_key(services: Services, alice: UUID, bob: UUID) -> None:
    await services.idempotency.begin(alice, "k", QUERY, PRINT)
    assert await services.idempotency.begin(bob, "k", QUERY, b"bob's") is None

    await services.idempotency.finish(bob, "k", status=200, headers={}, body=b"bob's answer")
    await services.idempotency.forget(bob, "k")

    with pytest.raises(IdempotencyKeyBusyError):
        await services.idempotency.begin(alice, "k", QUERY, PRINT)
    assert (await services.idempotency.begin(bob, "k", QUERY, b"bob's")) is not None


async def test_a_forgotten_key_is_free_and_a_finished_one_is_not_forgotten(services: Services, alice: UUID) -> None:
    await services.idempotency.begin(alice, "k", QUERY, PRINT)
    await services.idempotency.forget(alice, "k")
    assert await services.idempotency.begin(alice, "k", QUERY, b"another") is None

    await services.idempotency.finish(alice, "k", status=200, headers={}, body=b"")
    await services.idempotency.forget(alice, "k")
    assert await services.idempotency.begin(alice, "k", QUERY, b"another") is not None


async def test_a_request_that_made_nothing_is_taken_over_after_its_lease(
    services: Services, shared_database: Database, alice: UUID
) -> None:
    await services.idempotency.begin(alice, "k", UPLOAD)
    await let_pass(shared_database, alice, "k", LEASE - timedelta(seconds=20))
    with pytest.raises(IdempotencyKeyBusyError):
        await services.idempotency.begin(alice, "k", UPLOAD)

    await let_pass(shared_database, alice, "k", timedelta(seconds=30))

    assert await services.idempotency.begin(alice, "k", UPLOAD) is None
    with pytest.raises(IdempotencyKeyBusyError):
        await services.idempotency.begin(alice, "k", UPLOAD)


async def test_keys_last_for_a_day(services: Services, shared_database: Database, alice: UUID) -> None:
    for key in ("old", "older"):
        await services.idempotency.begin(alice, key, QUERY, PRINT)
        await services.idempotency.finish(alice, key, status=200, headers={}, body=b"")
        await let_pass(shared_database, alice, key, KEPT)

    assert await services.idempotency.begin(alice, "old", UPLOAD) is None
    assert await services.idempotency.expire() == 1
    with pytest.raises(IdempotencyKeyBusyError):
        await services.idempotency.begin(alice, "old", UPLOAD)


async def test_an_upload_ends_its_key_with_its_document(services: Services, alice: UUID) -> None:
    await services.idempotency.begin(alice, "k", UPLOAD)

    document = await services.documents.upload(alice, a_file("a.md", b"hello", "A"), idempotency_key="k")

    outcome = await stored(services, alice, "k", UPLOAD)
    assert (outcome.status, outcome.made) == (202, document.id)
    outcome.assert_of(upload_fingerprint("a.md", "A", document.sha256))
    for other in (("b.md", "A", document.sha256), ("a.md", None, document.sha256), ("a.md", "A", "0" * 64)):
        with pytest.raises(IdempotencyKeyReusedError):
            outcome.assert_of(upload_fingerprint(*other))


async def test_a_refused_upload_leaves_the_key_to_be_forgotten(services: Services, alice: UUID) -> None:
    await services.documents.upload(alice, a_file("a.md", b"hello"))
    await services.idempotency.begin(alice, "k", UPLOAD)
    with pytest.raises(DuplicateDocumentError):
        await services.documents.upload(alice, a_file("b.md", b"hello"), idempotency_key="k")

    await services.idempotency.forget(alice, "k")

    assert await services.idempotency.begin(alice, "k", UPLOAD) is None


async def test_a_body_that_takes_its_time_keeps_its_key(services: Services, alice: UUID) -> None:
    await services.idempotency.begin(alice, "k", UPLOAD)

    pieces = services.idempotency.kept_alive(alice, "k", in_pieces(b"a" * 100, 10))

    assert b"".join([piece async for piece in pieces]) == b"a" * 100


async def test_an_answer_ends_its_key_and_a_failure_frees_it(application: ApplicationFactory) -> None:
    model = ScriptedChatModel(["Said ", "so."])
    async with application(chat_model=model) as app:
        owner = await registered(app.services, "owner")
        assert await app.services.idempotency.begin(owner, "k", QUERY, PRINT) is None
        turn = await app.services.chat.ask(owner, Question("Why?"), streamed=False, idempotency_key="k")
        with pytest.raises(IdempotencyKeyBusyError):
            await app.services.idempotency.begin(owner, "k", QUERY, PRINT)
        answer = await turn.answer()

        outcome = await stored(app.services, owner, "k")
        assert outcome.made == answer.message_id
        assert await app.services.chat.answer(owner, outcome.made) == answer

        model.down = ModelUnavailableError()
        assert await app.services.idempotency.begin(owner, "k2", QUERY, PRINT) is None
        turn = await app.services.chat.ask(owner, Question("Why?"), streamed=True, idempotency_key="k2")
        with pytest.raises(ModelUnavailableError):
            await turn.answer()
        assert await app.services.idempotency.begin(owner, "k2", QUERY, PRINT) is None


async def test_an_answer_that_its_reader_left_is_the_outcome(application: ApplicationFactory) -> None:
    async with application(chat_model=ScriptedChatModel(["Half ", 30.0, "whole."])) as app:
        owner = await registered(app.services, "owner")
        await app.services.idempotency.begin(owner, "k", QUERY, PRINT)
        turn = await app.services.chat.ask(owner, Question("Why?"), streamed=True, idempotency_key="k")
        await turn.opened(5)
        turn.leave()
        await turn.answer()

        replayed = await app.services.chat.answer(owner, (await stored(app.services, owner, "k")).made)

        assert (replayed.status, replayed.text) == ("stopped", "Half ")


async def test_a_key_whose_answer_died_with_its_process_is_taken_over(application: ApplicationFactory) -> None:
    async with application(chat_model=ScriptedChatModel([30.0, "late"])) as app:
        owner = await registered(app.services, "owner")
        await app.services.idempotency.begin(owner, "k", QUERY, PRINT)
        turn = await app.services.chat.ask(owner, Question("Why?"), streamed=True, idempotency_key="k")

        await app.services.maintenance.end_abandoned_answers(all_of_them=True)

        assert await app.services.idempotency.begin(owner, "k", QUERY, PRINT) is None
        turn.leave()
        await turn.answer()
        # It comes to life again and ends, but not what is somebody else's now.
        with pytest.raises(IdempotencyKeyBusyError):
            await app.services.idempotency.begin(owner, "k", QUERY, PRINT)


async def test_a_question_whose_key_was_taken_over_is_not_stored(services: Services, alice: UUID) -> None:
    with pytest.raises(IdempotencyKeyBusyError):
        await services.chat.ask(alice, Question("Why?"), streamed=True, idempotency_key="never begun")

    assert (await services.sessions.page(alice, limit=10, after=None)).items == []


async def test_a_process_that_is_alone_frees_all_keys_that_are_held(application: ApplicationFactory) -> None:
    async with application() as app:
        owner = await registered(app.services, "owner")
        await app.services.idempotency.begin(owner, "held", QUERY, PRINT)
        await app.services.idempotency.begin(owner, "ended", QUERY, PRINT)
        await app.services.idempotency.finish(owner, "ended", status=200, headers={}, body=b"")

        await app.services.idempotency.forget_running()

        assert await app.services.idempotency.begin(owner, "held", QUERY, PRINT) is None
        assert await app.services.idempotency.begin(owner, "ended", QUERY, PRINT) is not None


async def test_what_was_deleted_is_not_replayed(services: Services, alice: UUID) -> None:
    await services.idempotency.begin(alice, "k", UPLOAD)
    document = await services.documents.upload(alice, a_file(f"{uuid4()}.md", b"soon gone"), idempotency_key="k")
    await services.documents.delete(alice, document.id)

    with pytest.raises(DocumentNotFoundError):
        await services.documents.get(alice, (await stored(services, alice, "k", UPLOAD)).made)
