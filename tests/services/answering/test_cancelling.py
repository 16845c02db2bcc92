"""Who asks may be cancelled at any moment."""

import asyncio
from contextlib import suppress
from time import perf_counter

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.values.chat import Question
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
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
