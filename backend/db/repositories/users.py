"""Accounts."""

from uuid import UUID

from sqlalchemy import func, insert, or_, select, update

from backend.core.values.user import User
from backend.db.repositories.rows import Repository, columns, read
from backend.models import UserRow


class UserRepository(Repository):
    """Reads and writes ``users``."""

    async def add(self, *, user_id: UUID, username: str, email: str, full_name: str | None, password_hash: str) -> User:
        """Insert an account. A taken name or address violates its unique index."""
        statement = (
            insert(UserRow)
            .values(id=user_id, username=username, email=email, full_name=full_name, password_hash=password_hash)
            .returning(*columns(UserRow, User))
        )
        return read(User, (await self._connection.execute(statement)).one())

    async def get(self, owner_id: UUID) -> User | None:
        """Return the account."""
        row = (await self._connection.execute(select(*columns(UserRow, User)).where(UserRow.id == owner_id))).one_or_none()
        return None if row is None else read(User, row)

    async def by_login(self, login: str) -> User | None:
        """Return the account with this username or email address, compared without case. Needs the system's view."""
        key = login.lower()
        statement = (
            select(*columns(UserRow, User))
            .where(or_(func.lower(UserRow.username) == key, func.lower(UserRow.email) == key))
            # A username may look like somebody else's address: the username wins.
            .order_by((func.lower(UserRow.username) == key).desc())
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(User, row)

    async def set_password_hash(self, owner_id: UUID, password_hash: str) -> None:
        """Replace the hash, for instance by one with present-day parameters."""
        await self._connection.execute(update(UserRow).where(UserRow.id == owner_id).values(password_hash=password_hash))

    async def set_full_name(self, owner_id: UUID, full_name: str | None) -> User | None:
        """Replace the name that people are greeted by."""
        statement = (
            update(UserRow)
            .where(UserRow.id == owner_id)
            .values(full_name=full_name, updated_at=func.now())
            .returning(*columns(UserRow, User))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(User, row)
