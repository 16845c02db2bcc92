"""Questions in the background that are not answered yet when a backup is made: they are answered after the restore."""

from pathlib import Path

from backend.core.values.chat import Question
from tests.support.backups import Place, backed_up
from tests.support.workshop import Workshop


async def test_a_task_that_waited_or_ran_is_answered_in_the_new_place(workshop: Workshop, place: Place, tmp_path: Path) -> None:
    alice = await workshop.user()
    await workshop.indexed(alice, "Blue whales eat krill.")
    tasks = [await workshop.services.chat.ask_later(alice, Question("What do blue whales eat?")) for _ in range(2)]
    async with workshop.uow.of(alice) as tx:
        assert await tx.tasks.start_attempt(alice, tasks[0].id)

    await backed_up(workshop, tmp_path / "backup.tar")
    await place.restore(tmp_path / "backup.tar")

    async with place.opened() as there:
        await there.services.maintenance.end_abandoned_answers(all_of_them=True)
        await there.rows("update tasks set updated_at = now() - interval '2 minutes'")
        await there.services.maintenance.reconcile()
        queued = await there.rows("select args->>'task_id' as id from procrastinate_jobs where task_name = 'answer_task'")
        assert {row["id"] for row in queued} == {str(task.id) for task in tasks}
        for task in tasks:
            await there.services.tasks.answer(alice, task.id)
            found, answer = await there.services.tasks.get(alice, task.id)
            assert found.state == "succeeded"
            assert answer is not None
            assert "krill" in answer.text
