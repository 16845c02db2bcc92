"""Accounts."""

from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, insert, or_, select, tuple_, update

from backend.core.values.page import Cursor, Page
from backend.core.values.user import User
from backend.db.repositories.rows import Repository, columns, containing, position, read
from backend.models import UserRow

# Asked often: it is put together once.
GET = select(*columns(UserRow, User)).where(UserRow.id == bindparam("owner_id"), UserRow.deleted_at.is_(None))


class UserRepository(Repository):
    """Reads and writes ``users``. A deleted account is as good as missing."""

    async def add(
        self,
        *,
        user_id: UUID,
        username: str,
        email: str,
        full_name: str | None,
        password_hash: str,
        role: Literal["user", "admin"] = "user",
        tier: Literal["free", "pro", "enterprise"] = "free",
    ) -> User:
        """Insert an account. A taken name or address violates its unique index."""
        statement = (
            insert(UserRow)
            .values(
                id=user_id,
                username=username,
                email=email,
                full_name=full_name,
                password_hash=password_hash,
                role=role,
                tier=tier,
            )
            .returning(*columns(UserRow, User))
        )
        return read(User, (await self._connection.execute(statement)).one())

    async def get(self, owner_id: UUID) -> User | None:
        """Return the account."""
        row = (await self._connection.execute(GET, {"owner_id": owner_id})).one_or_none()
        return None if row is None else read(User, row)

    async def by_login(self, login: str) -> User | None:
        """Return the account with this username or email address, compared without case. Needs the system's view."""
        key = login.lower()
        statement = (
            select(*columns(UserRow, User))
            .where(or_(func.lower(UserRow.username) == key, func.lower(UserRow.email) == key), UserRow.deleted_at.is_(None))
            # A username may look like somebody else's address: the username wins.
            .order_by((func.lower(UserRow.username) == key).desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(User, row)

    async def page(self, *, limit: int, after: Cursor | None, search: str | None) -> Page[User]:
        """Return accounts, newest first; ``search`` looks into names and addresses, without case. Needs the system's view."""
        statement = (
            select(*columns(UserRow, User))
            .where(UserRow.deleted_at.is_(None))
            .order_by(UserRow.created_at.desc(), UserRow.id.desc())
            .limit(limit + 1)
        )
        if search is not None:
            pattern = containing(search)
            fields = (UserRow.username, UserRow.email, UserRow.full_name)
            statement = statement.where(or_(*(field.ilike(pattern, escape="\\") for field in fields)))
        if after is not None:
            statement = statement.where(tuple_(UserRow.created_at, UserRow.id) < tuple_(*position(after)))
        items = [read(User, row) for row in await self._connection.execute(statement)]
        last = items[limit - 1] if len(items) > limit else None
        return Page(items[:limit], None if last is None else Cursor(last.created_at.isoformat(), last.id))

    async def update(self, owner_id: UUID, **values: object) -> User | None:
        """Change what is given; return the account, or ``None`` if it is gone."""
        statement = update(UserRow).where(*_of(owner_id)).values(updated_at=func.now(), **values).returning(*columns(UserRow, User))
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(User, row)

    async def set_password_hash(self, owner_id: UUID, password_hash: str) -> None:
        """Replace the hash."""
        await self._connection.execute(update(UserRow).where(*_of(owner_id)).values(password_hash=password_hash))

    async def bump_token_version(self, owner_id: UUID) -> None:
        """Make every access token that was issued so far worthless."""
        statement = update(UserRow).where(UserRow.id == owner_id).values(token_version=UserRow.token_version + 1)
        await self._connection.execute(statement)

    async def mark_deleted(self, owner_id: UUID) -> bool:
        """Hide an account from every read, and free its name and address; return whether there was one."""
        statement = update(UserRow).where(*_of(owner_id)).values(deleted_at=func.now(), is_active=False)
        return (await self._connection.execute(statement)).rowcount > 0

    async def others_administer(self, owner_id: UUID) -> bool:
        """Return whether there is an active administrator besides this one, and hold them all. Needs the system's view."""
        statement = (
            select(UserRow.id)
            .where(UserRow.role == "admin", UserRow.is_active, UserRow.deleted_at.is_(None))
            .order_by(UserRow.id)
            .with_for_update()
        )
        return any(admin != owner_id for admin in (await self._connection.execute(statement)).scalars())


def _of(owner_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (UserRow.id == owner_id, UserRow.deleted_at.is_(None))
