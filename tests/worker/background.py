"""Somebody who asks in the background, and a worker that answers with a scripted model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.bootstrap.application import Application
from backend.core.values.chat import Answer, Message, Question
from backend.core.values.task import Task, TaskState
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
from tests.worker.watching import soon, sql


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody asks, and a look behind the walls."""

    app: Application
    owner_id: UUID
    db: asyncpg.Connection

    async def ask(self, text: str = "Tell me.", **how: Any) -> Task:
        """Ask in the background."""
        return await self.app.services.chat.ask_later(self.owner_id, Question(text, **how))

    async def look(self, task: Task) -> tuple[Task, Answer | None]:
        """Return the task as it is now."""
        return await self.app.services.tasks.get(self.owner_id, task.id)

    async def until(self, task: Task, *states: TaskState) -> tuple[Task, Answer | None]:
        """Wait until the task is in one of these states."""

        async def there() -> tuple[Task, Answer | None] | None:
            found = await self.look(task)
            return found if found[0].state in states else None

        found: tuple[Task, Answer | None] = await soon(there)
        return found

    async def messages(self, task: Task) -> list[Message]:
        """Return what was said in the task's conversation."""
        page = await self.app.services.sessions.messages(self.owner_id, task.session_id, limit=100, after=None)
        return list(page.items)

    async def free(self, task: Task) -> Message:
        """Return the task's answer once it is not being given any more."""

        async def ended() -> Message | None:
            found = (await self.messages(task))[-1]
            return None if found.status == "streaming" else found

        message: Message = await soon(ended)
        assert message.id == task.message_id
        return message

    async def questions(self) -> int:
        """Return how many questions were counted as usage."""
        return int(await self.db.fetchval("select coalesce(sum(questions), 0) from usage where owner_id = $1", self.owner_id))

    async def hurry(self) -> None:
        """Let jobs begin now that wait for their time."""
        await self.db.execute("update procrastinate_jobs set scheduled_at = null where status = 'todo'")

    async def waiting_jobs(self) -> int:
        """Return how many attempts are queued."""
        return int(
            await self.db.fetchval("select count(*) from procrastinate_jobs where task_name = 'answer_task' and status = 'todo'")
        )

    async def nothing_left(self) -> None:
        """Wait until no attempt is in the queue."""
        gone = "select not exists (select from procrastinate_jobs where task_name = 'answer_task')"
        await soon(lambda: self.db.fetchval(gone))


@asynccontextmanager
async def desk(
    application: ApplicationFactory, database: Database, model: ScriptedChatModel, **settings: object
) -> AsyncIterator[Desk]:
    """Open the product with this model and somebody who asks. No worker is at work yet."""
    chosen = {"shutdown_grace_seconds": 0, **settings}
    async with application(chat_model=model, settings=chosen) as app, sql(database.owner_url) as db:
        yield Desk(app, await registered(app.services, "alice"), db)
