"""Calls of agents that are running, and cancelling them from whichever process."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid5

from backend.db.uow import UnitOfWork

RequestId = str | int
"""What a client calls one of its requests, in a session of its own."""


class CallService:
    """Knows the calls that this process answers. Nobody can cancel somebody else's: whose a call is, is part of its id."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._running: dict[UUID, Callable[[], object]] = {}

    @contextmanager
    def running(self, owner_id: UUID, session: str, request_id: RequestId, cancel: Callable[[], object]) -> Iterator[None]:
        """Call ``cancel`` if the call is cancelled within the block. Of two that a client names alike it is the later one."""
        call_id = _id_of(owner_id, session, request_id)
        self._running[call_id] = cancel
        try:
            yield
        finally:
            if self._running.get(call_id) is cancel:
                del self._running[call_id]

    async def cancel(self, owner_id: UUID, session: str, request_id: RequestId) -> None:
        """End a call of theirs, in this process or in any other one. One that is over, or has not got there yet, is let be.

        Raises:
            DatabaseUnavailableError: It is not of this process, and the others cannot be told.
        """
        call_id = _id_of(owner_id, session, request_id)
        if not self.obey(call_id):
            async with self._uow.of(owner_id) as tx:
                await tx.calls.cancel(call_id)

    def obey(self, call_id: UUID) -> bool:
        """End a call if it is of this process, and return whether it is."""
        cancel = self._running.get(call_id)
        if cancel is not None:
            cancel()
        return cancel is not None


def _id_of(owner_id: UUID, session: str, request_id: RequestId) -> UUID:
    """Return the same id in every process. Texts and numbers differ, and a session does not run over into a request's id."""
    return uuid5(owner_id, json.dumps([session, request_id]))
