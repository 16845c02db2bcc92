"""What administrators may do to accounts."""

from datetime import timedelta
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import UserNotFoundError
from backend.core.ids import new_id
from backend.core.opaque_tokens import OpaqueToken
from backend.core.security import PasswordHasher
from backend.core.values.page import Cursor, Page
from backend.core.values.user import Caller, Origin, Role, Tier, User
from backend.db.uow import UnitOfWork
from backend.services.accounts.profile import RESET_PREFIX, assert_not_last_admin, delete_account, end_credentials, set_password

RESET_LINK_LIFETIME = timedelta(hours=24)


class AdministrationService:
    """Manages accounts. Routes let administrators in only; every change is in the audit log."""

    def __init__(self, uow: UnitOfWork, passwords: PasswordHasher) -> None:
        self._uow = uow
        self._passwords = passwords

    async def create(
        self,
        *,
        username: str,
        email: str,
        password: str,
        full_name: str | None,
        role: Role = "user",
        tier: Tier = "free",
        actor_id: UUID | None,
        origin: Origin,
    ) -> User:
        """Open an account, also where registration is closed. ``actor_id`` is ``None`` for the operator's own command line.

        Raises:
            UsernameTakenError: Compared without case, as are addresses.
            EmailTakenError: Another account has the address.
        """
        password_hash = await self._passwords.hash(password)
        user_id = new_id()
        async with self._uow.system() as tx:
            user = await tx.users.add(
                user_id=user_id,
                username=username,
                email=email,
                full_name=full_name,
                password_hash=password_hash,
                role=role,
                tier=tier,
            )
            await tx.audit.note("account_created", actor_id=actor_id, subject_id=user.id, origin=origin, role=role, tier=tier)
        return user

    async def page(self, *, limit: int, after: Cursor | None, search: str | None) -> Page[User]:
        """Return accounts, newest first; ``search`` looks into names and addresses, without case."""
        async with self._uow.system() as tx:
            return await tx.users.page(limit=limit, after=after, search=search)

    async def get(self, user_id: UUID) -> User:
        """Return one account.

        Raises:
            UserNotFoundError: There is none.
        """
        async with self._uow.system() as tx:
            return _existing(await tx.users.get(user_id))

    async def named(self, login: str) -> User:
        """Return the account with this username or address, compared without case.

        Raises:
            UserNotFoundError: There is none.
        """
        async with self._uow.system() as tx:
            return _existing(await tx.users.by_login(login))

    async def set_password(self, user_id: UUID, password: str, *, origin: Origin) -> None:
        """Set a password from the operator's own command line. Everything that was signed in ends, API keys too.

        Raises:
            UserNotFoundError: There is none.
        """
        password_hash = await self._passwords.hash(password)
        async with self._uow.system() as tx:
            _existing(await tx.users.get(user_id))
            await set_password(tx, user_id, password_hash, keep=None)
            await tx.audit.note("password_reset", actor_id=None, subject_id=user_id, origin=origin)

    async def update(
        self, caller: Caller | None, user_id: UUID, *, role: Role | None, tier: Tier | None, is_active: bool | None, origin: Origin
    ) -> User:
        """Change what an account may do. One that is disabled loses every credential at once.

        ``caller`` is ``None`` for the operator's own command line.

        Raises:
            UserNotFoundError: There is none.
            LastAdminError: Nobody would be left to administer the system.
        """
        wanted = {"role": role, "tier": tier, "is_active": is_active}
        changes = {name: value for name, value in wanted.items() if value is not None}
        async with self._uow.system() as tx:
            before = _existing(await tx.users.get(user_id))
            if not changes:
                return before
            if role == "user" or is_active is False:
                await assert_not_last_admin(tx, before)
            user = _existing(await tx.users.update(user_id, **changes))
            if is_active is False or user.role != before.role:
                await end_credentials(tx, user_id)
            actor_id = None if caller is None else caller.user_id
            await tx.audit.note("account_changed", actor_id=actor_id, subject_id=user_id, origin=origin, **changes)
        return user

    async def delete(self, caller: Caller, user_id: UUID, *, origin: Origin) -> None:
        """Delete an account with everything that was its owner's.

        Raises:
            UserNotFoundError: There is none.
            LastAdminError: Nobody would be left to administer the system.
        """
        async with self._uow.system() as tx:
            if not await delete_account(tx, user_id, actor_id=caller.user_id, origin=origin):
                raise UserNotFoundError

    async def reset_link(self, caller: Caller, user_id: UUID, *, origin: Origin) -> str:
        """Make a link's token that sets a new password, once, within a day. It ends the earlier ones.

        Raises:
            UserNotFoundError: There is none.
        """
        token = OpaqueToken.make(RESET_PREFIX, new_id())
        async with self._uow.system() as tx:
            _existing(await tx.users.get(user_id))
            await tx.reset_links.add(user_id, link_id=token.id, hash_=token.hash, expires_at=now() + RESET_LINK_LIFETIME)
            await tx.audit.note("reset_link_made", actor_id=caller.user_id, subject_id=user_id, origin=origin)
        return token.text


def _existing(user: User | None) -> User:
    if user is None:
        raise UserNotFoundError
    return user
