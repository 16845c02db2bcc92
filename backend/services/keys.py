"""API keys: credentials for programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import DocumentNotFoundError, KeyNotFoundError, ScopeMissingError, TokenInvalidError
from backend.core.ids import new_id
from backend.core.opaque_tokens import OpaqueToken
from backend.core.values.page import Cursor, Page
from backend.core.values.user import ApiKey, Caller, Origin, Scope
from backend.db.uow import UnitOfWork
from backend.services.answering.attempts import call_off

KEY_PREFIX = "dk"
NOTED_EVERY = timedelta(minutes=1)
"""``last_used_at`` is this exact: a write for every request would cost more than it tells."""


class KeyService:
    """Makes, lists, revokes and recognises API keys."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def create(
        self,
        caller: Caller,
        *,
        name: str,
        scopes: Sequence[Scope],
        document_ids: Sequence[UUID] | None,
        expires_at: datetime | None,
        origin: Origin,
    ) -> tuple[ApiKey, str]:
        """Make a key; the text is returned this once and cannot be read again.

        Raises:
            ScopeMissingError: ``admin`` is asked for by somebody who is no administrator.
            DocumentNotFoundError: One of the documents is not the caller's.
        """
        if "admin" in scopes and caller.role != "admin":
            raise ScopeMissingError("Only administrators may make keys with the scope `admin`.")
        secret = OpaqueToken.make(KEY_PREFIX, new_id())
        owner_id = caller.user_id
        async with self._uow.of(owner_id) as tx:
            if document_ids is not None and len(await tx.documents.standings(owner_id, document_ids)) < len(set(document_ids)):
                raise DocumentNotFoundError
            key = await tx.api_keys.add(
                owner_id,
                key_id=secret.id,
                name=name,
                hash_=secret.hash,
                scopes=sorted(set(scopes)),
                document_ids=document_ids,
                expires_at=expires_at,
            )
            await tx.audit.note(
                "key_created", actor_id=owner_id, subject_id=owner_id, origin=origin, key_id=str(key.id), scopes=list(key.scopes)
            )
        return key, secret.text

    async def page(self, owner_id: UUID, *, limit: int, after: Cursor | None) -> Page[ApiKey]:
        """Return keys that are not revoked, newest first."""
        async with self._uow.of(owner_id) as tx:
            return await tx.api_keys.page(owner_id, limit=limit, after=after)

    async def revoke(self, owner_id: UUID, key_id: UUID, *, origin: Origin) -> None:
        """End a key; requests that carry it are refused from now on, and what it asked in the background is called off.

        Raises:
            KeyNotFoundError: The caller has no such key.
        """
        async with self._uow.of(owner_id) as tx:
            if not await tx.api_keys.revoke(owner_id, key_id):
                raise KeyNotFoundError
            for task_id in await tx.tasks.live_of_key(owner_id, key_id):
                task = await tx.tasks.hold(owner_id, task_id)
                if task is not None and task.live:
                    await call_off(tx, task)
            await tx.audit.note("key_revoked", actor_id=owner_id, subject_id=owner_id, origin=origin, key_id=str(key_id))

    async def caller(self, text: str) -> Caller:
        """Return who a key belongs to and what it may do, in one round trip.

        Raises:
            TokenInvalidError: Malformed, unknown, expired or revoked, or of a disabled account.
        """
        presented = OpaqueToken.read(KEY_PREFIX, text)
        if presented is None:
            raise TokenInvalidError
        async with self._uow.system() as tx:
            found = await tx.api_keys.with_owner(presented.id)
            if found is None or not presented.matches(found[0].hash):
                raise TokenInvalidError
            key, user = found
            if key.last_used_at is None or now() - key.last_used_at > NOTED_EVERY:
                await tx.api_keys.touch(user.id, key.id)
        # A key outlives its owner's demotion, but not with the powers that went.
        scopes = frozenset(scope for scope in key.scopes if scope != "admin" or user.role == "admin")
        return Caller(user_id=user.id, role=user.role, tier=user.tier, scopes=scopes, key_id=key.id, document_ids=key.document_ids)
