"""Sign-ins."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update

from backend.core.values.user import SignIn, User
from backend.db.repositories.rows import Repository, columns, read
from backend.models import AuthSessionRow, UserRow

# Every request asks this: it is put together once.
USER_OF = (
    select(*columns(UserRow, User))
    .join(AuthSessionRow, AuthSessionRow.owner_id == UserRow.id)
    .where(
        UserRow.id == bindparam("owner_id"),
        UserRow.deleted_at.is_(None),
        AuthSessionRow.id == bindparam("sign_in_id"),
        AuthSessionRow.revoked_at.is_(None),
        AuthSessionRow.expires_at > func.now(),
    )
)


class SignInRepository(Repository):
    """Reads and writes ``auth_sessions``."""

    async def add(
        self, owner_id: UUID, *, sign_in_id: UUID, refresh_hash: bytes, expires_at: datetime, user_agent: str | None
    ) -> None:
        """Insert a sign-in."""
        await self._connection.execute(
            insert(AuthSessionRow).values(
                id=sign_in_id, owner_id=owner_id, refresh_hash=refresh_hash, expires_at=expires_at, user_agent=user_agent
            )
        )

    async def locked(self, sign_in_id: UUID) -> SignIn | None:
        """Return a sign-in and hold it until the transaction ends. Needs the system's view: the owner is not known yet."""
        statement = select(*columns(AuthSessionRow, SignIn)).where(AuthSessionRow.id == sign_in_id).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else read(SignIn, row)

    async def with_owner(self, sign_in_id: UUID) -> tuple[SignIn, User] | None:
        """Return a sign-in that is good, and its active account. Needs the system's view: the owner is not known yet."""
        own, account = columns(AuthSessionRow, SignIn), columns(UserRow, User)
        statement = (
            select(*own, *(column.label(f"user_{column.name}") for column in account))
            .join(UserRow, UserRow.id == AuthSessionRow.owner_id)
            .where(
                AuthSessionRow.id == sign_in_id,
                AuthSessionRow.revoked_at.is_(None),
                AuthSessionRow.expires_at > func.now(),
                UserRow.is_active,
                UserRow.deleted_at.is_(None),
            )
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else (SignIn(*row[: len(own)]), User(*row[len(own) :]))

    async def prolong(self, owner_id: UUID, sign_in_id: UUID, *, expires_at: datetime) -> None:
        """Say that a sign-in was used just now, and let it last longer."""
        await self._connection.execute(
            update(AuthSessionRow)
            .where(AuthSessionRow.owner_id == owner_id, AuthSessionRow.id == sign_in_id)
            .values(expires_at=expires_at, last_used_at=func.now())
        )

    async def rotate(self, owner_id: UUID, sign_in_id: UUID, *, refresh_hash: bytes, expires_at: datetime) -> None:
        """Replace the refresh token and prolong the sign-in."""
        await self._connection.execute(
            update(AuthSessionRow)
            .where(AuthSessionRow.owner_id == owner_id, AuthSessionRow.id == sign_in_id)
            .values(refresh_hash=refresh_hash, expires_at=expires_at, last_used_at=func.now())
        )

    async def revoke(self, owner_id: UUID, sign_in_id: UUID) -> bool:
        """End a sign-in; its access tokens stop working with it. Return whether there was one."""
        statement = (
            update(AuthSessionRow)
            .where(AuthSessionRow.owner_id == owner_id, AuthSessionRow.id == sign_in_id, AuthSessionRow.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
        return (await self._connection.execute(statement)).rowcount > 0

    async def revoke_all(self, owner_id: UUID, *, but: UUID | None) -> None:
        """End all sign-ins of an owner, but one."""
        statement = update(AuthSessionRow).where(AuthSessionRow.owner_id == owner_id, AuthSessionRow.revoked_at.is_(None))
        if but is not None:
            statement = statement.where(AuthSessionRow.id != but)
        await self._connection.execute(statement.values(revoked_at=func.now()))

    async def of_owner(self, owner_id: UUID) -> list[SignIn]:
        """Return the sign-ins that are good, the last used first, at most 100."""
        statement = (
            select(*columns(AuthSessionRow, SignIn))
            .where(
                AuthSessionRow.owner_id == owner_id,
                AuthSessionRow.revoked_at.is_(None),
                AuthSessionRow.expires_at > func.now(),
            )
            .order_by(AuthSessionRow.last_used_at.desc(), AuthSessionRow.id)
            .limit(100)
        )
        return [read(SignIn, row) for row in await self._connection.execute(statement)]

    async def user_of(self, owner_id: UUID, sign_in_id: UUID) -> User | None:
        """Return the account behind a sign-in that is neither revoked nor over, in one round trip."""
        row = (await self._connection.execute(USER_OF, {"owner_id": owner_id, "sign_in_id": sign_in_id})).one_or_none()
        return None if row is None else read(User, row)
