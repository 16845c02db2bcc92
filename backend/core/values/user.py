"""Accounts and who is calling."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["user", "admin"]
Tier = Literal["free", "pro", "enterprise"]
Scope = Literal["chat", "documents:read", "documents:write", "admin"]
ALL_SCOPES: frozenset[Scope] = frozenset({"chat", "documents:read", "documents:write", "admin"})


@dataclass(frozen=True, slots=True)
class User:
    """An account. Its password hash never leaves the service that checks it."""

    id: UUID
    username: str
    email: str
    full_name: str | None
    role: Role
    tier: Tier
    is_active: bool
    token_version: int
    created_at: datetime
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A family of refresh tokens: one sign-in on one device. Only hashes of the tokens are stored."""

    id: UUID
    owner_id: UUID
    refresh_hash: bytes = field(repr=False)
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for programs. Its secret is shown once, when it is made; only its hash is stored."""

    id: UUID
    owner_id: UUID
    name: str
    hash: bytes = field(repr=False)
    scopes: tuple[Scope, ...]
    document_ids: tuple[UUID, ...] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, as far as it can be believed."""

    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of what is its owner's a credential may touch: all, or some documents and the conversations of its own key."""

    document_ids: tuple[UUID, ...] | None = None
    key_id: UUID | None = None

    def covers(self, document_ids: Sequence[UUID] | None) -> bool:
        """Return whether all of these documents are within reach; none in particular always are."""
        return self.document_ids is None or document_ids is None or set(document_ids) <= set(self.document_ids)

    def narrowed(self, document_ids: tuple[UUID, ...] | None) -> tuple[UUID, ...] | None:
        """Return those of a choice of documents that are within reach; ``None`` stands for all."""
        if self.document_ids is None or document_ids is None:
            return document_ids if self.document_ids is None else self.document_ids
        return tuple(document_id for document_id in document_ids if document_id in self.document_ids)


EVERYTHING = Reach()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request, as proven by their credential: a sign-in, or an API key (``key_id``).

    ``document_ids`` is set for a key that reaches some documents only. ``account`` is what a sign-in was checked against.
    """

    user_id: UUID
    role: Role
    tier: Tier
    scopes: frozenset[Scope] = ALL_SCOPES
    sign_in_id: UUID | None = None
    key_id: UUID | None = None
    document_ids: tuple[UUID, ...] | None = None
    account: User | None = field(default=None, repr=False, compare=False)

    @property
    def reach(self) -> Reach:
        """How much this credential may touch. A key that reaches some documents only sees its own conversations only."""
        return EVERYTHING if self.document_ids is None else Reach(self.document_ids, self.key_id)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token (a JWT) with its lifetime, and the refresh token that follows it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
