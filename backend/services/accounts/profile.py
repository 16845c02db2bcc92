"""What people may do to their own account."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.core.errors import (
    LastAdminError,
    PasswordWrongError,
    ResetLinkInvalidError,
    ScopeMissingError,
    SignInNotFoundError,
    TokenInvalidError,
)
from backend.core.opaque_tokens import OpaqueToken
from backend.core.security import PasswordHasher
from backend.core.values.user import Caller, Origin, SignIn, User
from backend.db.uow import Transaction, UnitOfWork

RESET_PREFIX = "rl"


@dataclass(frozen=True, slots=True)
class OwnSignIn:
    """A sign-in in a list; ``current`` marks the one that asked."""

    sign_in: SignIn
    current: bool


class ProfileService:
    """Changes an account on behalf of its owner. What matters asks for the present password again."""

    def __init__(self, uow: UnitOfWork, passwords: PasswordHasher) -> None:
        self._uow = uow
        self._passwords = passwords

    async def own(self, caller: Caller) -> User:
        """Return the caller's own account, as it was when their credential was checked."""
        return caller.account or await self.me(caller.user_id)

    async def me(self, owner_id: UUID) -> User:
        """Return an owner's account."""
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.users.get(owner_id))

    async def update(self, owner_id: UUID, **changes: str | None) -> User:
        """Change the name that the caller is greeted by, or the address.

        Raises:
            EmailTakenError: Another account has the address.
        """
        async with self._uow.of(owner_id) as tx:
            return _existing(await tx.users.update(owner_id, **changes))

    async def change_password(self, caller: Caller, *, present: str, new: str, origin: Origin) -> None:
        """Set a new password. Every other sign-in, every API key and every access token of the account ends with it.

        Raises:
            PasswordWrongError: ``present`` is not the password.
        """
        await self._confirm(caller, present)
        password_hash = await self._passwords.hash(new)
        async with self._uow.of(caller.user_id) as tx:
            await set_password(tx, caller.user_id, password_hash, keep=caller.sign_in_id)
            await tx.audit.note("password_changed", actor_id=caller.user_id, subject_id=caller.user_id, origin=origin)

    async def reset_password(self, link: str, new: str, *, origin: Origin) -> None:
        """Set a new password with a link that an administrator made. Everything that was signed in ends.

        Raises:
            ResetLinkInvalidError: Unknown, expired or used before.
        """
        # The link is looked up before the password is hashed: strangers' inventions cost next to nothing.
        presented = OpaqueToken.read(RESET_PREFIX, link)
        async with self._uow.system() as tx:
            await _owner_of_link(tx, presented)
        password_hash = await self._passwords.hash(new)
        async with self._uow.system() as tx:
            owner_id = await _owner_of_link(tx, presented)
            await tx.reset_links.use_up(owner_id)
            await set_password(tx, owner_id, password_hash, keep=None)
            await tx.audit.note("password_reset", actor_id=owner_id, subject_id=owner_id, origin=origin)

    async def delete(self, caller: Caller, *, password: str, origin: Origin) -> None:
        """Delete the account with everything that was the owner's: out of sight at once, and from disk by a job.

        Raises:
            PasswordWrongError: ``password`` is not the password.
            LastAdminError: Nobody would be left to administer the system.
        """
        await self._confirm(caller, password)
        async with self._uow.system() as tx:
            await delete_account(tx, caller.user_id, actor_id=caller.user_id, origin=origin)

    async def sign_ins(self, caller: Caller) -> Sequence[OwnSignIn]:
        """Return the sign-ins that are good, the last used first."""
        async with self._uow.of(caller.user_id) as tx:
            found = await tx.sign_ins.of_owner(caller.user_id)
        return [OwnSignIn(sign_in, sign_in.id == caller.sign_in_id) for sign_in in found]

    async def revoke_sign_in(self, caller: Caller, sign_in_id: UUID, *, origin: Origin) -> None:
        """End one of the caller's sign-ins, with its access tokens.

        Raises:
            SignInNotFoundError: The caller has no such sign-in.
        """
        async with self._uow.of(caller.user_id) as tx:
            if not await tx.sign_ins.revoke(caller.user_id, sign_in_id):
                raise SignInNotFoundError
            await tx.audit.note(
                "sign_in_revoked", actor_id=caller.user_id, subject_id=caller.user_id, origin=origin, sign_in_id=str(sign_in_id)
            )

    async def _confirm(self, caller: Caller, password: str) -> None:
        if caller.sign_in_id is None:
            raise ScopeMissingError("An API key cannot do that. Sign in.")
        async with self._uow.of(caller.user_id) as tx:
            user = _existing(await tx.users.get(caller.user_id))
        if not await self._passwords.verify(password, user.password_hash):
            raise PasswordWrongError


async def _owner_of_link(tx: Transaction, presented: OpaqueToken | None) -> UUID:
    """Return whose link this is, and hold it; ``ResetLinkInvalidError`` if it is none that is still good."""
    found = None if presented is None else await tx.reset_links.locked(presented.id)
    if presented is None or found is None or not presented.matches(found[1]):
        raise ResetLinkInvalidError
    return found[0]


async def set_password(tx: Transaction, owner_id: UUID, password_hash: str, *, keep: UUID | None) -> None:
    """Store a password's hash, and end every credential but the sign-in ``keep``. Its access tokens end too; refresh them."""
    await tx.users.set_password_hash(owner_id, password_hash)
    await end_credentials(tx, owner_id, keep=keep)


async def end_credentials(tx: Transaction, owner_id: UUID, *, keep: UUID | None = None) -> None:
    """End every sign-in but ``keep``, every API key, every reset link, and every access token that was issued."""
    await tx.users.bump_token_version(owner_id)
    await tx.sign_ins.revoke_all(owner_id, but=keep)
    await tx.api_keys.revoke_all(owner_id)
    await tx.reset_links.use_up(owner_id)


async def delete_account(tx: Transaction, owner_id: UUID, *, actor_id: UUID, origin: Origin) -> bool:
    """Hide an account and its documents, free its name, end its credentials, and queue the removal of all that was its own.

    Raises:
        LastAdminError: Nobody would be left to administer the system.
    """
    user = await tx.users.get(owner_id)
    if user is None:
        return False
    await assert_not_last_admin(tx, user)
    await tx.users.mark_deleted(owner_id)
    await tx.messages.call_for_stops(owner_id)
    await tx.leftovers.hide_documents(owner_id)
    await end_credentials(tx, owner_id)
    await tx.audit.note("account_deleted", actor_id=actor_id, subject_id=owner_id, origin=origin)
    await tx.jobs.defer("purge_account", lock=str(owner_id), owner_id=owner_id)
    return True


async def assert_not_last_admin(tx: Transaction, user: User) -> None:
    """Raise ``LastAdminError`` if this is the only administrator that is active."""
    if user.role == "admin" and user.is_active and not await tx.users.others_administer(user.id):
        raise LastAdminError


def _existing(user: User | None) -> User:
    """The account may have been deleted since its credential was checked."""
    if user is None:
        raise TokenInvalidError
    return user
