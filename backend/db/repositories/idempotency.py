"""Keys of requests that clients may repeat, and how those requests ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.core.errors import IdempotencyKeyBusyError
from backend.db.repositories.rows import Repository
from backend.models import IdempotencyKeyRow

_NOTHING_YET = {"status": null(), "subject_id": null(), "headers": null(), "body": null()}


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """A key as it is stored. ``status`` is ``None`` while its request runs; ``age`` counts from its begin or last renewal."""

    operation: str
    fingerprint: bytes
    status: int | None
    subject_id: UUID | None
    headers: Mapping[str, str]
    body: bytes | None
    age: timedelta


class IdempotencyRepository(Repository):
    """Reads and writes ``idempotency_keys``. Ages are the database's, so the clocks of several processes do not matter."""

    async def add(self, owner_id: UUID, key: str, *, operation: str, fingerprint: bytes) -> bool:
        """Insert a key as running; return whether it was new. One that is just being inserted elsewhere is waited for."""
        statement = (
            insert(IdempotencyKeyRow)
            .values(owner_id=owner_id, key=key, operation=operation, fingerprint=fingerprint, **_NOTHING_YET)
            .on_conflict_do_nothing()
        )
        return (await self._connection.execute(statement)).rowcount > 0

    async def hold(self, owner_id: UUID, key: str) -> IdempotencyRecord | None:
        """Return a key, and hold it until the transaction ends."""
        row_ = IdempotencyKeyRow
        age = (func.now() - row_.created_at).label("age")
        statement = (
            select(row_.operation, row_.fingerprint, row_.status, row_.subject_id, row_.headers, row_.body, age)
            .where(*_of(owner_id, key))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return IdempotencyRecord(
            operation=row.operation,
            fingerprint=row.fingerprint,
            status=row.status,
            subject_id=row.subject_id,
            headers=row.headers or {},
            body=row.body,
            age=row.age,
        )

    async def take_over(self, owner_id: UUID, key: str, *, operation: str, fingerprint: bytes) -> None:
        """Begin again, whatever the key was used for."""
        statement = (
            update(IdempotencyKeyRow)
            .where(*_of(owner_id, key))
            .values(operation=operation, fingerprint=fingerprint, created_at=func.now(), **_NOTHING_YET)
        )
        await self._connection.execute(statement)

    async def renew(self, owner_id: UUID, key: str) -> None:
        """Say that the request is still running."""
        statement = update(IdempotencyKeyRow).where(*_running(owner_id, key)).values(created_at=func.now())
        await self._connection.execute(statement)

    async def bind(self, owner_id: UUID, key: str, subject_id: UUID) -> None:
        """Note what the request makes, in the transaction that makes it: both or neither.

        Raises:
            IdempotencyKeyBusyError: The key is not this request's any more: it ran for too long, and another one took over.
        """
        statement = update(IdempotencyKeyRow).where(*_running(owner_id, key), _bound_to(None)).values(subject_id=subject_id)
        if (await self._connection.execute(statement)).rowcount == 0:
            raise IdempotencyKeyBusyError

    async def finish(
        self,
        owner_id: UUID,
        key: str,
        *,
        status: int,
        subject_id: UUID | None = None,
        fingerprint: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> bool:
        """Store how a request ended whose key is not bound to anything yet; return whether it was so."""
        values: dict[str, object] = {"status": status, "subject_id": subject_id, "headers": dict(headers or {}), "body": body}
        if fingerprint is not None:
            values["fingerprint"] = fingerprint
        statement = update(IdempotencyKeyRow).where(*_running(owner_id, key), _bound_to(None)).values(**values)
        return (await self._connection.execute(statement)).rowcount > 0

    async def finish_bound(self, owner_id: UUID, key: str, subject_id: UUID, *, status: int) -> None:
        """Store that what the request makes is complete; a key that was taken over meanwhile is left alone."""
        statement = update(IdempotencyKeyRow).where(*_running(owner_id, key), _bound_to(subject_id)).values(status=status)
        await self._connection.execute(statement)

    async def forget(self, owner_id: UUID, key: str, *, subject_id: UUID | None = None) -> None:
        """Remove a running key: one that has made nothing, or the one that has made ``subject_id``."""
        statement = delete(IdempotencyKeyRow).where(*_running(owner_id, key), _bound_to(subject_id))
        await self._connection.execute(statement)

    async def forget_running(self) -> int:
        """Remove all keys that are running. Needs the system's view. Returns how many there were."""
        return (await self._connection.execute(delete(IdempotencyKeyRow).where(IdempotencyKeyRow.status.is_(None)))).rowcount

    async def expire(self, older_than: timedelta) -> int:
        """Remove old keys. Needs the system's view. Returns how many there were."""
        statement = delete(IdempotencyKeyRow).where(IdempotencyKeyRow.created_at < func.now() - older_than)
        return (await self._connection.execute(statement)).rowcount


def _of(owner_id: UUID, key: str) -> tuple[ColumnElement[bool], ...]:
    return (IdempotencyKeyRow.owner_id == owner_id, IdempotencyKeyRow.key == key)


def _running(owner_id: UUID, key: str) -> tuple[ColumnElement[bool], ...]:
    return (*_of(owner_id, key), IdempotencyKeyRow.status.is_(None))


def _bound_to(subject_id: UUID | None) -> ColumnElement[bool]:
    """With ``None``: bound to nothing yet."""
    return IdempotencyKeyRow.subject_id.is_(None) if subject_id is None else IdempotencyKeyRow.subject_id == subject_id
