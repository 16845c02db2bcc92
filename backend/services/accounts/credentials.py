"""Accounts: registration, signing in and out, and who is calling."""

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import (
    CredentialsInvalidError,
    RefreshTokenInvalidError,
    RegistrationClosedError,
    TokenInvalidError,
)
from backend.core.ids import new_id
from backend.core.opaque_tokens import OpaqueToken
from backend.core.security import AccessTokens, Claims, PasswordHasher, RefreshToken
from backend.core.values.user import Caller, Origin, TokenPair, User
from backend.db.uow import Transaction, UnitOfWork

NOWHERE = Origin()
SESSION_PREFIX = "ds"
PROLONGED_EVERY = timedelta(hours=1)
"""A browser's sign-in lasts from its last use, which is this exact: a write for every request would cost more than it tells."""


class AccountService:
    """Who may come in. Revocation lives in PostgreSQL: a token is good while its sign-in, its account and its version are."""

    def __init__(
        self,
        uow: UnitOfWork,
        passwords: PasswordHasher,
        tokens: AccessTokens,
        *,
        registration_open: bool,
        sign_in_lifetime: timedelta,
    ) -> None:
        self._uow = uow
        self._passwords = passwords
        self._tokens = tokens
        self._registration_open = registration_open
        self._sign_in_lifetime = sign_in_lifetime

    async def register(self, *, username: str, email: str, password: str, full_name: str | None, origin: Origin = NOWHERE) -> User:
        """Open an account.

        Raises:
            RegistrationClosedError: The administrator has closed the door.
            UsernameTakenError: Compared without case, as are addresses.
            EmailTakenError: Another account has the address.
        """
        if not self._registration_open:
            raise RegistrationClosedError
        password_hash = await self._passwords.hash(password)
        user_id = new_id()
        async with self._uow.of(user_id) as tx:
            user = await tx.users.add(
                user_id=user_id, username=username, email=email, full_name=full_name, password_hash=password_hash
            )
            await tx.audit.note("account_registered", actor_id=user.id, subject_id=user.id, origin=origin)
        return user

    async def sign_in(self, *, login: str, password: str, origin: Origin = NOWHERE) -> TokenPair:
        """Exchange a username (or email address) and a password for tokens.

        Raises:
            CredentialsInvalidError: Unknown user, wrong password or disabled account: one answer, and the same time.
        """
        refresh = self._tokens.refresh_token(new_id())
        user = await self._signed_in(login, password, origin, refresh.sign_in_id, refresh.hash)
        return self._pair(user, refresh)

    async def open_session(self, *, login: str, password: str, origin: Origin = NOWHERE) -> OpaqueToken:
        """Exchange a username (or email address) and a password for the token of a browser's cookie.

        It is a sign-in like any other, and is good until it has not been used for as long as sign-ins last.

        Raises:
            CredentialsInvalidError: As ``sign_in`` raises it.
        """
        session = OpaqueToken.make(SESSION_PREFIX, new_id())
        await self._signed_in(login, password, origin, session.id, _hash_of(session))
        return session

    async def session_caller(self, text: str) -> Caller:
        """Return who a browser's token belongs to, in one round trip.

        Raises:
            TokenInvalidError: Malformed, unknown, expired or revoked, or of a disabled account.
        """
        presented = OpaqueToken.read(SESSION_PREFIX, text)
        if presented is None:
            raise TokenInvalidError
        async with self._uow.system() as tx:
            found = await tx.sign_ins.with_owner(presented.id)
            if found is None or not hmac.compare_digest(found[0].refresh_hash, _hash_of(presented)):
                raise TokenInvalidError
            sign_in, user = found
            if now() - sign_in.last_used_at > PROLONGED_EVERY:
                await tx.sign_ins.prolong(user.id, sign_in.id, expires_at=now() + self._sign_in_lifetime)
        return Caller(user_id=user.id, role=user.role, tier=user.tier, sign_in_id=sign_in.id, account=user)

    async def close_session(self, text: str) -> None:
        """End the sign-in of a browser's token. One that is no good any more changes nothing."""
        presented = OpaqueToken.read(SESSION_PREFIX, text)
        if presented is not None:
            await self._revoke(presented.id, _hash_of(presented))

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair; the old one is used up.

        A token that was used up before and comes again was copied by somebody: the whole sign-in is revoked.

        Raises:
            RefreshTokenInvalidError: Unknown, expired, revoked, or used before.
        """
        presented = RefreshToken.read(refresh_token)
        async with self._uow.system() as tx:
            pair = await self._rotate(tx, presented)
        if pair is None:
            raise RefreshTokenInvalidError
        return pair

    async def _rotate(self, tx: Transaction, presented: RefreshToken) -> TokenPair | None:
        sign_in = await tx.sign_ins.locked(presented.sign_in_id)
        if sign_in is None or sign_in.revoked_at is not None or sign_in.expires_at <= now():
            return None
        if not hmac.compare_digest(sign_in.refresh_hash, presented.hash):
            if not self._tokens.has_issued(presented):
                return None  # Who merely knows the id of a sign-in must not be able to end it.
            await tx.sign_ins.revoke(sign_in.owner_id, sign_in.id)
            await tx.audit.note("refresh_token_reused", actor_id=None, subject_id=sign_in.owner_id, sign_in_id=str(sign_in.id))
            return None
        user = await tx.users.get(sign_in.owner_id)
        if user is None or not user.is_active:
            return None
        fresh = self._tokens.refresh_token(sign_in.id)
        expires_at = now() + self._sign_in_lifetime
        await tx.sign_ins.rotate(user.id, sign_in.id, refresh_hash=fresh.hash, expires_at=expires_at)
        return self._pair(user, fresh)

    async def sign_out(self, refresh_token: str) -> None:
        """End the sign-in that the token belongs to, with its access tokens. A token that is no good any more changes nothing."""
        presented = RefreshToken.read(refresh_token)
        await self._revoke(presented.sign_in_id, presented.hash)

    async def caller(self, access_token: str) -> Caller:
        """Return who holds this access token, in one round trip to the database.

        Raises:
            TokenInvalidError: Malformed, forged, expired or revoked, or of a disabled account.
        """
        claims = self._tokens.read(access_token)
        async with self._uow.of(claims.user_id) as tx:
            user = await tx.sign_ins.user_of(claims.user_id, claims.sign_in_id)
        if user is None or not user.is_active or user.token_version != claims.token_version:
            raise TokenInvalidError
        return Caller(user_id=user.id, role=user.role, tier=user.tier, sign_in_id=claims.sign_in_id, account=user)

    async def _signed_in(self, login: str, password: str, origin: Origin, sign_in_id: UUID, hash_: bytes) -> User:
        """Return the user whose password this is, with a sign-in that a secret of this hash will prove."""
        async with self._uow.system() as tx:
            user = await tx.users.by_login(login)
        matches = await self._passwords.verify(password, None if user is None else user.password_hash)
        if user is None or not matches or not user.is_active:
            async with self._uow.system() as tx:
                await tx.audit.note("sign_in_failed", actor_id=None, subject_id=user.id if user else None, origin=origin)
            raise CredentialsInvalidError
        renewed = await self._passwords.hash(password) if self._passwords.is_outdated(user.password_hash) else None
        async with self._uow.of(user.id) as tx:
            if renewed is not None:
                await tx.users.set_password_hash(user.id, renewed)
            await tx.sign_ins.add(
                user.id,
                sign_in_id=sign_in_id,
                refresh_hash=hash_,
                expires_at=now() + self._sign_in_lifetime,
                user_agent=origin.user_agent,
            )
            await tx.audit.note("signed_in", actor_id=user.id, subject_id=user.id, origin=origin)
        return user

    async def _revoke(self, sign_in_id: UUID, hash_: bytes) -> None:
        async with self._uow.system() as tx:
            sign_in = await tx.sign_ins.locked(sign_in_id)
            if sign_in is not None and hmac.compare_digest(sign_in.refresh_hash, hash_):
                await tx.sign_ins.revoke(sign_in.owner_id, sign_in.id)

    def _pair(self, user: User, refresh: RefreshToken) -> TokenPair:
        claims = Claims(user.id, refresh.sign_in_id, user.token_version)
        return TokenPair(
            access_token=self._tokens.issue(claims),
            refresh_token=refresh.text,
            expires_in=int(self._tokens.lifetime.total_seconds()),
        )


def _hash_of(session: OpaqueToken) -> bytes:
    """Another hash than that of a refresh token with the same secret: neither can be made of the other."""
    return hashlib.sha256(f"{SESSION_PREFIX}:{session.secret}".encode()).digest()
