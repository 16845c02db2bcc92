"""Accounts and who is calling."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["user", "admin"]
Tier = Literal["free", "pro", "enterprise"]


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
class Caller:
    """Who sent the request, as proven by their credential."""

    user_id: UUID
    role: Role
    sign_in_id: UUID


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token (a JWT) with its lifetime, and the refresh token that follows it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
