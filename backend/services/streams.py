"""Following answers while they are being given, and stopping them, from whichever process."""

import asyncio
from uuid import UUID
from weakref import WeakSet

import structlog

from backend.core.errors import MessageNotFoundError, SessionNotFoundError, UnavailableError
from backend.core.values.chat import Message
from backend.core.values.user import EVERYTHING, Reach
from backend.db.uow import UnitOfWork
from backend.ports.relay import Relay
from backend.services.answering.attempts import call_off
from backend.services.answering.following import DistantTurn
from backend.services.answering.running import RunningTurns
from backend.services.answering.turn import TurnReader

log = structlog.get_logger(__name__)

STOP_SECONDS = 10.0
"""How long a stop waits for the answer to be stored."""
AGAIN_SECONDS = 0.25
"""A process that was just connecting to PostgreSQL has not heard the first call."""
LOOK_SECONDS = 0.05
KEEP_SECONDS = 2.0
"""How often the process that gives an answer is told that somebody reads it here; more often where the grace is short."""
RENEWAL_SECONDS = 4.0
"""A fifth of ``ANSWER_LEASE``: a process that misses some renewals is not taken for dead yet."""


class StreamService:
    """Follows and stops answers. Somebody else's are missing, and so are those out of a key's reach."""

    def __init__(self, uow: UnitOfWork, turns: RunningTurns, relay: Relay | None, *, grace_seconds: float) -> None:
        self._uow = uow
        self._turns = turns
        self._relay = relay
        self._keep_seconds = min(KEEP_SECONDS, grace_seconds / 4)
        self._distant: WeakSet[DistantTurn] = WeakSet()

    async def follow(
        self, owner_id: UUID, session_id: UUID, message_id: UUID, *, after: int = 0, reach: Reach = EVERYTHING
    ) -> TurnReader | DistantTurn:
        """Return a reader of what comes after the event of this number, of an answer that is being given or is over.

        The reader of a resumable answer keeps it going, whichever process gives it, and has to ``leave``.

        Raises:
            SessionNotFoundError: The caller has no such session.
            MessageNotFoundError: It has no such answer.
        """

        async def look() -> Message:
            return await self._answer(owner_id, session_id, message_id, reach)

        async def keep() -> None:
            async with self._uow.of(owner_id) as tx:
                await tx.messages.call_to_keep(owner_id, message_id)

        message = await look()
        turn = self._turns.get(message_id)
        if turn is not None and turn.resumable:
            return turn.join(after=after)
        if message.status == "streaming":
            await keep()
        distant = DistantTurn(message, look, keep, self._relay, after=after, keep_seconds=self._keep_seconds)
        self._distant.add(distant)
        return distant

    def let_go(self) -> None:
        """Wait no longer for answers that other processes give: whoever reads them here comes back, and finds one of those."""
        for distant in list(self._distant):
            distant.leave()

    async def stop(self, owner_id: UUID, session_id: UUID, message_id: UUID, *, reach: Reach = EVERYTHING) -> Message:
        """End an answer now and return it as it was stored; one that is over stays as it is.

        It is still ``streaming`` if the process that gives it does not answer in time, or could not store it yet.

        Raises:
            SessionNotFoundError: The caller has no such session.
            MessageNotFoundError: It has no such answer.
        """
        loop = asyncio.get_running_loop()
        until, call_at = loop.time() + STOP_SECONDS, 0.0
        message = await self._answer(owner_id, session_id, message_id, reach)
        while message.status == "streaming" and loop.time() < until:
            if not self._turns.stop(message_id) and loop.time() >= call_at:
                call_at = loop.time() + AGAIN_SECONDS
                async with self._uow.of(owner_id) as tx:
                    task = await tx.tasks.hold_answering(owner_id, message_id)
                    if task is not None and task.live:
                        await call_off(tx, task)
                    else:
                        await tx.messages.call_for_stop(owner_id, message_id)
            await asyncio.sleep(LOOK_SECONDS)
            message = await self._answer(owner_id, session_id, message_id, reach)
        return message

    def obey(self, message_id: UUID) -> None:
        """End an answer that is given in this process, because another one was told to."""
        self._turns.stop(message_id)

    def keep(self, message_id: UUID) -> None:
        """Keep an answer going that is given in this process, because somebody reads it in another one."""
        self._turns.keep(message_id)

    async def renew_for_ever(self, *, every_seconds: float = RENEWAL_SECONDS) -> None:
        """Say of the answers that are given in this process that it lives, again and again, until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            if answers := self._turns.answers:
                try:
                    async with self._uow.system() as tx:
                        await tx.messages.renew(answers)
                except UnavailableError as error:
                    # Nobody is taken for dead meanwhile, and the next renewal may succeed.
                    log.warning("answers_not_renewed", answers=len(answers), code=error.code)
                except Exception:
                    # A defect must not end the renewals of this process for good.
                    log.exception("answers_not_renewed", answers=len(answers))

    async def _answer(self, owner_id: UUID, session_id: UUID, message_id: UUID, reach: Reach) -> Message:
        async with self._uow.of(owner_id) as tx:
            if await tx.sessions.get(owner_id, session_id, key_id=reach.key_id) is None:
                raise SessionNotFoundError
            message = await tx.messages.get(owner_id, message_id)
        if message is None or message.session_id != session_id or message.role != "assistant":
            raise MessageNotFoundError
        return message
