"""Requests that clients may repeat: each runs once, and a repetition gets what the first one made."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from time import monotonic
from uuid import UUID

import structlog

from backend.core.errors import IdempotencyKeyBusyError, IdempotencyKeyReusedError, UnavailableError
from backend.core.values.idempotency import StoredOutcome
from backend.db.repositories.idempotency import IdempotencyRecord
from backend.db.uow import Transaction, UnitOfWork

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""A request that has made nothing and says nothing for longer belongs to a process that is gone."""
AGAIN_SECONDS = 0.5
"""How soon a key is tried to be freed again that could not be, for the database was away."""
KEPT = timedelta(hours=24)
UNKNOWN = b""
"""The fingerprint of a request whose body is still to come."""


class IdempotencyService:
    """Keeps the keys of each owner. What a request makes is bound to its key in the transaction that makes it.

    So after a crash either nothing was made, and the key can be taken over, or it is known what was made.
    """

    def __init__(self, uow: UnitOfWork, *, lease: timedelta = LEASE, kept: timedelta = KEPT) -> None:
        self._uow = uow
        self._lease = lease
        self._freeing: set[asyncio.Task[None]] = set()
        self._kept = kept

    async def begin(self, owner_id: UUID, key: str, operation: str, fingerprint: bytes = UNKNOWN) -> StoredOutcome | None:
        """Return the outcome of an earlier request with this key, or ``None`` where the caller is the one to run it.

        The caller then has to ``finish`` or to ``forget``. With an unknown fingerprint the caller compares:
        ``StoredOutcome.assert_of``.

        Raises:
            IdempotencyKeyReusedError: The key was used for something else.
            IdempotencyKeyBusyError: The earlier request is still running.
        """
        async with self._uow.of(owner_id) as tx:
            if await tx.idempotency.add(owner_id, key, operation=operation, fingerprint=fingerprint):
                return None
            earlier = await tx.idempotency.hold(owner_id, key)
            if earlier is None:
                # It was forgotten this very moment; whoever comes next finds the way free.
                raise IdempotencyKeyBusyError
            if earlier.age < self._kept:
                known = UNKNOWN not in (fingerprint, earlier.fingerprint)
                if earlier.operation != operation or (known and earlier.fingerprint != fingerprint):
                    raise IdempotencyKeyReusedError
                if earlier.status is not None:
                    return StoredOutcome(earlier.fingerprint, earlier.status, earlier.subject_id, earlier.headers, earlier.body)
                if await self._alive(tx, owner_id, earlier):
                    raise IdempotencyKeyBusyError
            await tx.idempotency.take_over(owner_id, key, operation=operation, fingerprint=fingerprint)
        return None

    async def _alive(self, tx: Transaction, owner_id: UUID, earlier: IdempotencyRecord) -> bool:
        """Judge whether a running request's process still lives."""
        if earlier.subject_id is None:
            return earlier.age < self._lease
        # An answer and its key end in one transaction: where one ended without the other, the process had died.
        message = await tx.messages.get(owner_id, earlier.subject_id)
        return message is not None and message.status == "streaming"

    async def kept_alive(self, owner_id: UUID, key: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces of a body that may take longer to arrive than the lease lasts, and renew that meanwhile."""
        every = self._lease.total_seconds() / 4
        due = monotonic() + every
        async for piece in pieces:
            if monotonic() >= due:
                await self._renew(owner_id, key)
                due = monotonic() + every
            yield piece

    async def _renew(self, owner_id: UUID, key: str) -> None:
        try:
            async with self._uow.of(owner_id) as tx:
                await tx.idempotency.renew(owner_id, key)
        except UnavailableError as error:
            # The next renewal may succeed, and if none does, the worst is that a repetition is let in.
            log.warning("idempotency_key_not_renewed", code=error.code)

    async def finish(self, owner_id: UUID, key: str, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Store the response of a request that makes nothing which could be bound to its key."""
        async with self._uow.of(owner_id) as tx:
            await tx.idempotency.finish(owner_id, key, status=status, headers=headers, body=body)

    async def forget(self, owner_id: UUID, key: str) -> None:
        """Free the key of a request that ended before it made anything, so that it can be tried again.

        What the database refuses is tried again without the caller: what went wrong with the request matters more to them.
        """
        try:
            await self._forget(owner_id, key)
        except UnavailableError as error:
            log.warning("idempotency_key_not_freed", code=error.code)
            task = asyncio.create_task(self._forget_later(owner_id, key), name="free-idempotency-key")
            self._freeing.add(task)
            task.add_done_callback(self._freeing.discard)

    async def _forget(self, owner_id: UUID, key: str) -> None:
        async with self._uow.of(owner_id) as tx:
            await tx.idempotency.forget(owner_id, key)

    async def _forget_later(self, owner_id: UUID, key: str) -> None:
        """Go on for half of the lease: after all of it the key may be somebody else's."""
        until = monotonic() + self._lease.total_seconds() / 2
        while monotonic() < until:
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                await self._forget(owner_id, key)
            except UnavailableError:
                continue
            return

    async def forget_running(self) -> None:
        """Free all keys that are held: where this process is the only one and has just begun, nobody holds them."""
        async with self._uow.system() as tx:
            freed = await tx.idempotency.forget_running()
        if freed:
            log.warning("idempotency_keys_freed", keys=freed)

    async def expire(self) -> int:
        """Remove keys that are older than a day; return how many there were."""
        async with self._uow.system() as tx:
            return await tx.idempotency.expire(self._kept)
