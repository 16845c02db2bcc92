"""Questions in the background: answered once, in order, and cancelled."""

import asyncio

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import QuotaExceededError, RateLimitedError, SessionBusyError, TaskNotFoundError
from backend.core.values.chat import Question
from backend.core.values.task import Task
from backend.core.values.user import Caller, Origin, Reach
from backend.services import chat
from tests.conftest import ApplicationFactory
from tests.support.cluster import Database
from tests.support.files import WHALES, a_file
from tests.worker.background import Desk, desk
from tests.worker.watching import settled, soon


async def test_it_is_answered_like_any_question_and_the_conversation_goes_on(
    application: ApplicationFactory, database: Database
) -> None:
    model = ScriptedChatModel(["Krill. [1]"], ["Who eats the krill of blue whales?"], ["Whales. [1]"], writes=True)
    async with desk(application, database, model) as alice:
        document = await alice.app.services.documents.upload(alice.owner_id, a_file("whales.md", WHALES))
        async with alice.app.worker.running(alone=True):
            assert (await settled(alice.app.services, document)).status == "ready"
            task = await alice.ask("What do blue whales eat?", strict=True)
            assert (task.state, task.ahead, task.attempts) == ("queued", 0, 0)
            done, answer = await alice.until(task, "succeeded")
            assert answer is not None
            assert (answer.text, answer.status, answer.answer_status) == ("Krill. [1]", "complete", "grounded")
            assert (answer.message_id, done.attempts, done.error_code) == (task.message_id, 1, None)
            assert done.created_at <= (done.started_at or done.created_at) <= (done.finished_at or done.created_at)

            follow_up = await alice.ask("And who eats it?", session_id=task.session_id, temperature=0.3, max_tokens=77)
            _, second = await alice.until(follow_up, "succeeded")
            assert second is not None
            assert second.searched_for == "Who eats the krill of blue whales?"
            assert (model.options[-1].temperature, model.options[-1].max_tokens) == (0.3, 77)
            strict = (await alice.app.services.sessions.get(alice.owner_id, task.session_id)).strict
            assert strict
            said = [(message.role, message.content) for message in await alice.messages(task)]
            assert said == [
                ("user", "What do blue whales eat?"),
                ("assistant", "Krill. [1]"),
                ("user", "And who eats it?"),
                ("assistant", "Whales. [1]"),
            ]
            assert await alice.questions() == 2
            await alice.nothing_left()


async def test_tasks_of_an_account_are_answered_one_after_the_other_and_say_how_far_they_are(
    application: ApplicationFactory, database: Database
) -> None:
    gate = asyncio.Event()
    model = ScriptedChatModel(["one ", gate, "two"], ["second"])
    async with desk(application, database, model, worker_concurrency=4) as alice, alice.app.worker.running(alone=True):
        first = await alice.ask()
        second = await alice.ask()
        with pytest.raises(SessionBusyError):
            await alice.ask(session_id=second.session_id)

        await soon(lambda: progress(alice, first))
        waiting, _ = await alice.look(second)
        assert (waiting.state, waiting.ahead, len(model.prompts)) == ("queued", 1, 1)
        gate.set()

        assert (await alice.until(first, "succeeded"))[1].text == "one two"  # type: ignore[union-attr] # it has succeeded
        await alice.until(second, "succeeded")


async def progress(alice: Desk, task: Task) -> bool:
    found, _ = await alice.look(task)
    return found.state == "running" and found.characters > 0


async def test_as_many_as_an_account_may_have_wait_and_what_a_limit_forbids_is_not_answered_later(
    application: ApplicationFactory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "MOST_TASKS", 2)
    async with desk(application, database, ScriptedChatModel(), limits_enabled=True) as alice:
        tasks = [await alice.ask(), await alice.ask()]
        with pytest.raises(RateLimitedError) as refused:
            await alice.ask()
        assert refused.value.details == {"limit": "background_tasks"}
        await alice.app.services.tasks.cancel(alice.owner_id, tasks[0].id)
        tasks.append(await alice.ask())

        monkeypatch.setattr(chat, "MOST_TASKS", 5)
        at_once = await asyncio.gather(*(alice.ask() for _ in range(6)), return_exceptions=True)
        assert [type(one) for one in at_once if isinstance(one, Exception)] == [RateLimitedError] * 3

        monkeypatch.setattr(chat, "MOST_TASKS", 9)
        await alice.db.execute("update tiers set tokens_per_day = 0")
        with pytest.raises(QuotaExceededError):
            await alice.ask()
        async with alice.app.worker.running(alone=True):
            failed, _ = await alice.until(tasks[2], "failed")
        assert (failed.error_code, (await alice.free(failed)).status) == ("quota_exceeded", "incomplete")
        assert await alice.questions() == 0


async def test_one_that_is_queued_is_cancelled_at_once_and_never_begins(
    application: ApplicationFactory, database: Database
) -> None:
    model = ScriptedChatModel()
    async with desk(application, database, model) as alice:
        services = alice.app.services
        for end in ("cancel", "stop"):
            task = await alice.ask()
            if end == "cancel":
                await services.tasks.cancel(alice.owner_id, task.id)
            else:
                stopped = await services.streams.stop(alice.owner_id, task.session_id, task.message_id)
                assert stopped.status == "stopped"
            cancelled, _ = await alice.look(task)
            assert (cancelled.state, (await alice.free(task)).status) == ("cancelled", "stopped")
            assert await alice.waiting_jobs() == 0

        await services.tasks.cancel(alice.owner_id, task.id)
        with pytest.raises(TaskNotFoundError):
            await alice.look(task)
        assert [message.role for message in await alice.messages(task)] == ["user", "assistant"], "its conversation stays"
        async with alice.app.worker.running(alone=True):
            await alice.until(await alice.ask(session_id=task.session_id), "succeeded")
        assert len(model.prompts) == 1


@pytest.mark.parametrize("end", ["cancel", "stop", "delete session", "delete account"])
async def test_one_that_runs_in_another_process_is_ended_and_the_model_is_freed(
    application: ApplicationFactory, database: Database, end: str
) -> None:
    model = ScriptedChatModel(["said", asyncio.Event(), " unsaid"])
    async with (
        desk(application, database, model) as there,
        desk(application, database, ScriptedChatModel()) as here,
        there.app.listener.running(),
        there.app.worker.running(alone=True),
    ):
        alice = Desk(here.app, here.owner_id, here.db)
        task = await alice.ask()
        await soon(lambda: _has_begun(model))
        services = here.app.services
        if end == "cancel":
            await services.tasks.cancel(alice.owner_id, task.id)
            assert (await alice.look(task))[0].state == "cancelled"
        elif end == "stop":
            assert (await services.streams.stop(alice.owner_id, task.session_id, task.message_id)).content == "said"
        elif end == "delete session":
            await services.sessions.delete(alice.owner_id, task.session_id)
        else:
            caller = Caller(user_id=alice.owner_id, role="user", tier="free", sign_in_id=alice.owner_id)
            await services.profile.delete(caller, password="correct horse", origin=Origin())

        await soon(lambda: _freed(model))
        await alice.nothing_left()
        if end in {"cancel", "stop"}:
            message = await alice.free(task)
            assert (message.status, message.content) == ("stopped", "said")
            assert (await alice.look(task))[0].state == "cancelled"
            assert await alice.questions() == 1
        else:
            assert await soon(lambda: alice.db.fetchval("select not exists (select from tasks where state = 'running')"))
        assert len(model.prompts) == 1


async def _has_begun(model: ScriptedChatModel) -> bool:
    return bool(model.prompts)


async def _freed(model: ScriptedChatModel) -> bool:
    return model.closed_early == 1


async def test_a_limited_key_has_tasks_of_its_own(application: ApplicationFactory, database: Database) -> None:
    async with desk(application, database, ScriptedChatModel()) as alice:
        services = alice.app.services
        mine, document = await alice.ask(), await services.documents.upload(alice.owner_id, a_file())
        reach = Reach((document.id,), document.id)
        theirs = await services.chat.ask_later(alice.owner_id, Question("Tell me."), reach=reach)
        assert theirs.request.within == (document.id,)
        page = await services.tasks.page(alice.owner_id, limit=9, after=None, reach=reach)
        assert [task.id for task in page.items] == [theirs.id]
        assert len((await services.tasks.page(alice.owner_id, limit=9, after=None)).items) == 2
        for action in (services.tasks.get, services.tasks.cancel):
            with pytest.raises(TaskNotFoundError):
                await action(alice.owner_id, mine.id, reach=reach)


async def test_answers_that_hang_keep_no_document_waiting(application: ApplicationFactory, database: Database) -> None:
    model = ScriptedChatModel(["one", asyncio.Event()])
    async with desk(application, database, model, worker_concurrency=1) as alice, alice.app.worker.running(alone=True):
        await alice.ask()
        await soon(lambda: _has_begun(model))
        document = await alice.app.services.documents.upload(alice.owner_id, a_file("whales.md", WHALES))
        assert (await settled(alice.app.services, document)).status == "ready"


async def test_a_key_takes_its_tasks_along_when_it_is_revoked(application: ApplicationFactory, database: Database) -> None:
    async with desk(application, database, ScriptedChatModel()) as alice:
        services, caller = alice.app.services, Caller(user_id=alice.owner_id, role="user", tier="free")
        key, _ = await services.keys.create(caller, name="k", scopes=["chat"], document_ids=None, expires_at=None, origin=Origin())
        mine = await alice.ask()
        its = await services.chat.ask_later(alice.owner_id, Question("Tell me."), key_id=key.id)
        await services.keys.revoke(alice.owner_id, key.id, origin=Origin())
        assert [(await alice.look(task))[0].state for task in (mine, its)] == ["queued", "cancelled"]
        assert ((await alice.free(its)).status, await alice.waiting_jobs()) == ("stopped", 1)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("update users set is_active = false", ("cancelled", None, "stopped")),
        ("update tiers set models = array['another']", ("failed", "model_not_allowed", "incomplete")),
    ],
)
async def test_what_may_not_be_asked_any_more_is_not_asked(
    application: ApplicationFactory, database: Database, change: str, outcome: tuple[str, str | None, str]
) -> None:
    model = ScriptedChatModel()
    async with desk(application, database, model) as alice:
        task = await alice.ask()
        await alice.db.execute(change)
        await alice.app.services.tasks.answer(alice.owner_id, task.id)
        found, _ = await alice.look(task)
        assert (found.state, found.error_code, (await alice.free(task)).status) == outcome
        assert model.prompts == []
