"""The turns that run in this process, each in a task of its own that is held until its answer is stored."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import structlog

from backend.core.errors import DocentError
from backend.ports.relay import Relay
from backend.services.answering.events import Failed, Started
from backend.services.answering.relaying import Relaying
from backend.services.answering.turn import Turn

log = structlog.get_logger(__name__)


class RunningTurns:
    """Holds turns by the ids of their answers. What a resumable one says is relayed to other processes, if there is a relay.

    ``told`` hears of each turn that begins, with True, and that is over, with False.
    """

    told: Callable[[UUID, bool], None] | None = None

    def __init__(self, relay: Relay | None = None) -> None:
        self._relaying = Relaying(relay)
        self._running: dict[UUID, tuple[Turn, asyncio.Task[None]]] = {}
        self.stopping = False

    def begin(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        """Run what answers a turn."""
        message_id = turn.asked.message_id
        turn.emit(Started(turn.asked.session_id, message_id))
        task = asyncio.create_task(work, name=f"turn-{message_id}")
        self._running[message_id] = (turn, task)
        if self.told is not None:
            self.told(message_id, True)
        task.add_done_callback(lambda ended: self._over(turn, ended))
        if turn.resumable:
            self._relaying.begin(turn)

    @property
    def count(self) -> int:
        """How many run."""
        return len(self._running)

    def get(self, message_id: UUID) -> Turn | None:
        """Return the turn of an answer, if it runs in this process."""
        turn, _ = self._running.get(message_id, (None, None))
        return turn

    def stop(self, message_id: UUID) -> bool:
        """End the generation of an answer now; return whether it runs in this process."""
        turn = self.get(message_id)
        if turn is not None:
            turn.interrupt("stopped")
        return turn is not None

    def keep(self, message_id: UUID) -> None:
        """Begin the grace of an answer anew, if it runs in this process."""
        turn = self.get(message_id)
        if turn is not None:
            turn.keep()

    async def drain(self, grace_seconds: float) -> None:
        """Give running answers so long to finish, then end them as ``incomplete``; return when all are stored.

        From now on the process is ``stopping``: work that can wait should not begin here.
        """
        self.stopping = True
        tasks = [task for _, task in self._running.values()]
        if tasks:
            log.info("answers_draining", answers=len(tasks))
            await asyncio.wait(tasks, timeout=grace_seconds)
        for turn, _ in list(self._running.values()):
            turn.interrupt("incomplete")
        if remaining := [task for _, task in self._running.values()]:
            await asyncio.wait(remaining)
        await self._relaying.drain()

    def _over(self, turn: Turn, task: asyncio.Task[None]) -> None:
        """Let nobody wait for a turn that died of a defect."""
        del self._running[turn.asked.message_id]
        if self.told is not None:
            self.told(turn.asked.message_id, False)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("turn_failed", message_id=str(turn.asked.message_id), exc_info=error)
        if not turn.ended:
            turn.end(Failed(DocentError()))
