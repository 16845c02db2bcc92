"""Attempts at answers in the background that end early: by a death, an outage, a mistake or a stop."""

import asyncio

import pytest
from structlog.testing import capture_logs

from backend.adapters.chat_models.scripted import ScriptedChatModel, Step
from backend.core.errors import AnswerCutError, DocentError, ModelMissingError, ModelUnavailableError
from backend.core.values.task import Task
from tests.conftest import ApplicationFactory
from tests.support.cluster import Database
from tests.worker.background import Desk, desk
from tests.worker.watching import soon

DIED = "update tasks set state = 'running', attempts = attempts + 1 where id = $1"


async def died(alice: Desk, task: Task, times: int = 1) -> None:
    """Leave behind what workers do that died while they answered."""
    dead = await alice.db.fetchval(
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '20 s') returning id"
    )
    for _ in range(times):
        await alice.db.execute(DIED, task.id)
    await alice.db.execute("update procrastinate_jobs set status = 'doing', worker_id = $1 where task_name = 'answer_task'", dead)


async def test_after_a_worker_died_the_same_message_is_answered_once(application: ApplicationFactory, database: Database) -> None:
    async with desk(application, database, ScriptedChatModel(["An answer."])) as alice:
        task = await alice.ask()
        await died(alice, task)
        # What the only process does when it begins, and what the clock does where there are several.
        await alice.db.execute("update messages set updated_at = now() - interval '2 hours'")
        for at_start in (True, False):
            await alice.app.services.maintenance.end_abandoned_answers(all_of_them=at_start)
        async with alice.app.worker.running(alone=True):
            done, _ = await alice.until(task, "succeeded")
            await alice.nothing_left()
        assert done.attempts == 2
        assert [message.content for message in await alice.messages(task)] == ["Tell me.", "An answer."]
        assert await alice.questions() == 1


async def test_after_three_deaths_it_is_given_up_with_a_sentence(application: ApplicationFactory, database: Database) -> None:
    model = ScriptedChatModel()
    async with desk(application, database, model) as alice:
        task = await alice.ask()
        await died(alice, task, times=3)
        async with alice.app.worker.running(alone=True):
            failed, answer = await alice.until(task, "failed")
        assert (failed.error_code, answer, model.prompts) == ("answer_crashed", None, [])
        assert "three times" in (failed.error_message or "")
        message = await alice.free(task)
        assert (message.status, message.error_code) == ("incomplete", "answer_crashed")


async def test_what_was_cancelled_when_its_worker_was_dead_is_ended_by_the_next_one(
    application: ApplicationFactory, database: Database
) -> None:
    model = ScriptedChatModel()
    async with desk(application, database, model) as alice:
        task = await alice.ask()
        await died(alice, task)
        for _ in range(2):
            await alice.app.services.tasks.cancel(alice.owner_id, task.id)
        assert (await alice.look(task))[0].state == "cancelled"
        await alice.db.execute("delete from procrastinate_jobs")
        await alice.db.execute("update tasks set updated_at = now() - interval '2 minutes'")
        await alice.app.services.maintenance.reconcile()
        async with alice.app.worker.running(alone=True):
            assert (await alice.free(task)).status == "stopped"
        assert model.prompts == []


async def test_an_outage_is_waited_for_without_being_counted_and_not_for_ever(
    application: ApplicationFactory, database: Database
) -> None:
    model = ScriptedChatModel(["There."])
    model.down = ModelUnavailableError("Ollama does not answer.")
    async with desk(application, database, model) as alice, alice.app.worker.running(alone=True):
        task = await alice.ask()
        for _ in range(4):  # More often than an attempt may fail.
            await soon(lambda: _waits(alice, task))
            waiting, _ = await alice.look(task)
            assert (waiting.attempts, waiting.waiting_for) == (0, "Ollama does not answer.")
            assert await alice.waiting_jobs() == 1
            await alice.db.execute("update tasks set waiting_for = null")
            await alice.hurry()
        model.down = None
        await soon(lambda: _hurried_to(alice, task, "succeeded"))
        assert (await alice.look(task))[0].attempts == 1

        model.down = ModelUnavailableError("Ollama does not answer.")
        late = await alice.ask()
        await soon(lambda: _waits(alice, late))
        await alice.db.execute(
            "update tasks set waiting_for = null, waiting_since = now() - interval '9 h', updated_at = now() - interval '8 h'"
        )
        await alice.hurry()
        await soon(lambda: _waits(alice, late))  # It is another outage, which has just begun.
        await alice.db.execute("update tasks set waiting_since = now() - interval '2 hours' where id = $1", late.id)
        await alice.hurry()
        failed, _ = await alice.until(late, "failed")
        assert (failed.error_code, failed.waiting_for) == ("model_unavailable", None)
        assert (await alice.free(late)).error_code == "model_unavailable"


async def _waits(alice: Desk, task: Task) -> bool:
    found, _ = await alice.look(task)
    return found.state == "queued" and found.waiting_for is not None


async def test_a_model_that_does_not_exist_fails_at_once_and_a_defect_after_three_attempts(
    application: ApplicationFactory, database: Database
) -> None:
    cut: list[Step] = ["begun", AnswerCutError()]
    model = ScriptedChatModel([ModelMissingError("Install it.")], ["x", DocentError()], cut, cut, cut, ["last"])
    async with desk(application, database, model) as alice, alice.app.worker.running(alone=True):
        missing, _ = await alice.until(await alice.ask(model="nowhere"), "failed")
        assert (missing.error_code, missing.error_message, missing.attempts) == ("model_unknown", "Install it.", 1)
        again = await alice.ask()
        await soon(lambda: _hurried_to(alice, again, "failed"))
        found, _ = await alice.look(again)
        message = await alice.free(again)
        assert (found.attempts, found.error_code) == (3, "answer_cut")
        assert (message.status, message.content, len(model.prompts)) == ("incomplete", "begun", 4)
        assert await alice.questions() == 2
        await alice.nothing_left()


async def _hurried_to(alice: Desk, task: Task, state: str) -> bool:
    await alice.hurry()
    return (await alice.look(task))[0].state == state


async def test_a_stop_in_the_middle_gives_it_back_to_the_queue_uncounted(
    application: ApplicationFactory, database: Database
) -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["one", gate, " two"])
    async with desk(application, database, model) as alice:
        task = await alice.ask()
        for stop in range(4):
            async with alice.app.worker.running(alone=True):
                await soon(lambda: _prompted(model, stop + 1))  # noqa: B023 - awaited here
            found, _ = await alice.look(task)
            assert (found.state, found.attempts, await alice.waiting_jobs()) == ("queued", 0, 1)
            await alice.hurry()
        gate.set()
        async with alice.app.worker.running(alone=True):
            _, answer = await alice.until(task, "succeeded")
            await alice.nothing_left()
        assert answer is not None
        assert (answer.text, await alice.questions(), len(await alice.messages(task))) == ("one two", 1, 2)


async def test_a_server_that_stops_with_its_worker_gives_tasks_back_and_begins_no_other(
    application: ApplicationFactory, database: Database
) -> None:
    model = ScriptedChatModel(["one", asyncio.Event()], ["An answer."])
    async with desk(application, database, model) as alice:
        task, late = await alice.ask(), await alice.ask()
        async with alice.app.worker.running(alone=True):
            await soon(lambda: _prompted(model, 1))
            await alice.app.services.answering.drain(0)
            await soon(lambda: _queued(alice, task))
        assert (len(model.prompts), await alice.waiting_jobs()) == (1, 2)
        await alice.hurry()
        async with desk(application, database, model) as again, again.app.worker.running(alone=True):
            for one in (task, late):
                _, answer = await alice.until(one, "succeeded")
                assert answer is not None
                assert answer.text == "An answer."
        assert await alice.questions() == 2


async def _queued(alice: Desk, task: Task) -> bool:
    found, _ = await alice.look(task)
    return (found.state, found.attempts) == ("queued", 0)


async def _prompted(model: ScriptedChatModel, times: int) -> bool:
    return len(model.prompts) == times


async def test_an_attempt_that_was_taken_for_dead_stores_nothing(application: ApplicationFactory, database: Database) -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["of the dead", gate], ["of the living"])
    async with (
        desk(application, database, model) as alice,
        desk(application, database, ScriptedChatModel(["of the living"])) as other,
    ):
        task = await alice.ask()
        dead = asyncio.create_task(alice.app.services.tasks.answer(alice.owner_id, task.id))
        await soon(lambda: _prompted(model, 1))
        with capture_logs():
            await other.app.services.tasks.answer(alice.owner_id, task.id)
            gate.set()
            await dead
        _, answer = await alice.look(task)
        assert answer is not None
        assert (answer.text, await alice.questions()) == ("of the living", 1)


@pytest.mark.parametrize("loss", ["update {} set status = 'aborted'", "delete from {}"])
async def test_a_task_whose_job_was_lost_gets_a_new_one(application: ApplicationFactory, database: Database, loss: str) -> None:
    async with desk(application, database, ScriptedChatModel()) as alice:
        task = await alice.ask()
        await alice.db.execute(loss.format("procrastinate_jobs"))
        await alice.app.services.maintenance.reconcile()
        assert await alice.waiting_jobs() == 0, "it may just be on its way"
        await alice.db.execute("update tasks set updated_at = now() - interval '2 minutes'")
        for _ in range(2):
            await alice.app.services.maintenance.reconcile()
            assert await alice.waiting_jobs() == 1
        async with alice.app.worker.running(alone=True):
            await alice.until(task, "succeeded")
