"""Who asks may be cancelled at any moment, and so may an answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from time import perf_counter

import pytest
from structlog.testing import capture_logs

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import AnswerCutError
from backend.core.values.chat import Question
from backend.ports.chat_model import Generation, Piece, Prompt
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
from tests.worker.background import desk
from tests.worker.watching import soon, sql

MOMENTS = 24


async def test_whenever_it_is_cancelled_no_answer_is_left_that_nobody_gives(
    application: ApplicationFactory, database: Database
) -> None:
    model = ScriptedChatModel(["one", asyncio.Event()])
    async with application(chat_model=model) as app, sql(database.owner_url) as db:
        alice = await registered(app.services, "alice")
        begun = perf_counter()
        for moment in range(MOMENTS + 1):
            asking = asyncio.create_task(app.services.chat.ask(alice, Question("Tell me."), streamed=False))
            if moment == 0:
                turn = await asking
                takes = perf_counter() - begun
            else:
                await asyncio.wait([asking], timeout=takes * moment / MOMENTS)
                asking.cancel()
                with suppress(asyncio.CancelledError):
                    turn = await asking
            turn.leave()

        await soon(lambda: db.fetchval("select not exists (select from messages where status = 'streaming')"))
        stored = await db.fetchval("select count(*) from messages where status = 'stopped'")
        assert 1 <= stored <= MOMENTS + 1


class Mistaken(ScriptedChatModel):
    """Takes a cancellation for a broken connection."""

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        try:
            async for piece in super().stream(prompt, options):
                yield piece
        except asyncio.CancelledError as error:
            raise AnswerCutError from error


async def test_what_was_interrupted_is_no_error_whatever_the_provider_makes_of_it(
    application: ApplicationFactory, database: Database
) -> None:
    model = Mistaken(["one", asyncio.Event()])
    async with desk(application, database, model) as alice:
        services = alice.app.services
        turn = await services.chat.ask(alice.owner_id, Question("Tell me."), streamed=False)
        await turn.opened(30)
        turn.interrupt("stopped")
        answer = await turn.answer()
        assert (answer.status, answer.text) == ("stopped", "one")

        task = await alice.ask()
        attempt = asyncio.create_task(services.tasks.answer(alice.owner_id, task.id))
        await soon(lambda: _prompted(model, 2))
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        found, _ = await alice.look(task)
        assert (found.state, found.attempts) == ("queued", 0)


async def _prompted(model: ScriptedChatModel, times: int) -> bool:
    return len(model.prompts) == times


async def test_a_question_that_cannot_be_read_is_not_tried_for_ever(application: ApplicationFactory, database: Database) -> None:
    async with desk(application, database, ScriptedChatModel()) as alice:
        task = await alice.ask()
        await alice.db.execute("delete from messages where role = 'user'")
        with capture_logs():
            for _ in range(3):
                with pytest.raises(ValueError, match="unpack"):
                    await alice.app.services.tasks.answer(alice.owner_id, task.id)
            await alice.app.services.tasks.answer(alice.owner_id, task.id)
        failed, _ = await alice.look(task)
        assert (failed.state, failed.error_code) == ("failed", "answer_crashed")
