"""API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, tuple_, update

from backend.core.values.page import Cursor, Page
from backend.core.values.user import ApiKey, Scope, User
from backend.db.repositories.rows import AnyRow, Repository, columns, position
from backend.models import ApiKeyRow, UserRow


class ApiKeyRepository(Repository):
    """Reads and writes ``api_keys``. A revoked one is as good as missing."""

    async def add(
        self,
        owner_id: UUID,
        *,
        key_id: UUID,
        name: str,
        hash_: bytes,
        scopes: Sequence[Scope],
        document_ids: Sequence[UUID] | None,
        expires_at: datetime | None,
    ) -> ApiKey:
        """Insert a key."""
        statement = (
            insert(ApiKeyRow)
            .values(
                id=key_id,
                owner_id=owner_id,
                name=name,
                hash=hash_,
                scopes=list(scopes),
                document_ids=None if document_ids is None else list(document_ids),
                expires_at=expires_at,
            )
            .returning(*columns(ApiKeyRow, ApiKey))
        )
        return _key((await self._connection.execute(statement)).one())

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None) -> Page[ApiKey]:
        """Return keys, newest first."""
        statement = (
            select(*columns(ApiKeyRow, ApiKey))
            .where(ApiKeyRow.owner_id == owner_id, ApiKeyRow.revoked_at.is_(None))
            .order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(tuple_(ApiKeyRow.created_at, ApiKeyRow.id) < tuple_(*position(after)))
        items = [_key(row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.created_at.isoformat(), last.id))

    async def revoke(self, owner_id: UUID, key_id: UUID) -> bool:
        """End a key; return whether there was one."""
        statement = (
            update(ApiKeyRow)
            .where(ApiKeyRow.owner_id == owner_id, ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
        return (await self._connection.execute(statement)).rowcount > 0

    async def revoke_all(self, owner_id: UUID) -> None:
        """End all keys of an owner."""
        await self._connection.execute(
            update(ApiKeyRow).where(ApiKeyRow.owner_id == owner_id, ApiKeyRow.revoked_at.is_(None)).values(revoked_at=func.now())
        )

    async def with_owner(self, key_id: UUID) -> tuple[ApiKey, User] | None:
        """Return a key that is good, and the active account behind it. Needs the system's view: the owner is not known yet."""
        key, user = columns(ApiKeyRow, ApiKey), columns(UserRow, User)
        statement = (
            select(*(column.label(f"key_{column.name}") for column in key), *user)
            .join(UserRow, UserRow.id == ApiKeyRow.owner_id)
            .where(
                ApiKeyRow.id == key_id,
                ApiKeyRow.revoked_at.is_(None),
                or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > func.now()),
                UserRow.is_active,
                UserRow.deleted_at.is_(None),
            )
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        found = row._mapping
        values = {column.name: found[f"key_{column.name}"] for column in key}
        return _read_key(values), User(**{column.name: found[column.name] for column in user})

    async def touch(self, owner_id: UUID, key_id: UUID) -> None:
        """Note that a key was used."""
        await self._connection.execute(
            update(ApiKeyRow).where(ApiKeyRow.owner_id == owner_id, ApiKeyRow.id == key_id).values(last_used_at=func.now())
        )


def _key(row: AnyRow) -> ApiKey:
    return _read_key(dict(row._mapping))


def _read_key(values: dict[str, Any]) -> ApiKey:
    ids = values["document_ids"]
    return ApiKey(**{**values, "scopes": tuple(values["scopes"]), "document_ids": None if ids is None else tuple(ids)})
