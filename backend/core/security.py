"""Passwords and tokens: the one place that hashes, signs and verifies."""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4

import orjson
from jose import jwt
from passlib.hash import argon2

from backend.core.clock import now
from backend.core.errors import RefreshTokenInvalidError, TokenInvalidError

P = ParamSpec("P")
R = TypeVar("R")

AUDIENCE = "docent"
ALGORITHM = "HS256"
HEADER = {"alg": ALGORITHM, "typ": "JWT"}
LONGEST_TOKEN = 2048
REFRESH_PREFIX = "dr_"


class PasswordHasher:
    """argon2id at OWASP's floor (19 MiB, 2 passes, 1 lane), on two threads of its own, so that no stream stands still meanwhile."""

    def __init__(self) -> None:
        # Else passlib loads it at the first use, and refuses whatever else was asked for until that is done.
        argon2.set_backend("argon2_cffi")
        self._scheme = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)  # type: ignore[no-untyped-call] # its stubs
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2", initializer=_lower_priority)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store, about 30 ms of one core."""
        return await self._run(self._scheme.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether the password belongs to the hash. Without a hash (no such user) it takes the same time to say no."""
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_hex(16))
        matches = await self._run(self._scheme.verify, password, stored or self._decoy)
        return bool(matches) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return bool(self._scheme.needs_update(stored))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _lower_priority() -> None:
    """Let the event loop's thread go first; on Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: whose it is, from which sign-in, and of which version of the account's credentials."""

    user_id: UUID
    sign_in_id: UUID
    token_version: int


class AccessTokens:
    """Issues and reads access tokens, and issues the refresh tokens that follow them.

    Nothing else touches python-jose, which alone accepts too much (see ``read``).
    """

    def __init__(self, secret_key: str, *, lifetime: timedelta) -> None:
        self._key = secret_key
        self.lifetime = lifetime

    def issue(self, claims: Claims, *, at: datetime | None = None) -> str:
        """Return a signed token."""
        issued = at or now()
        payload = {
            "sub": str(claims.user_id),
            "sid": str(claims.sign_in_id),
            "ver": claims.token_version,
            "aud": AUDIENCE,
            "iat": int(issued.timestamp()),
            "exp": int((issued + self.lifetime).timestamp()),
            "jti": uuid4().hex,
        }
        return str(jwt.encode(payload, self._key, algorithm=ALGORITHM))

    def read(self, token: str) -> Claims:
        """Verify a token and return its claims.

        python-jose takes a token without ``exp``, ignores unknown ``crit`` headers, and dies of deeply nested ones: so the length
        is bounded, the header has to be exactly ours before it sees it, and every claim is required.

        Raises:
            TokenInvalidError: For whatever reason; which one is not told.
        """
        try:
            _check_shape(token)
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={f"require_{claim}": True for claim in ("exp", "iat", "sub", "jti", "aud")},
            )
            return Claims(UUID(payload["sub"]), UUID(payload["sid"]), int(payload["ver"]))
        except Exception as error:
            # A token is a stranger's bytes: whatever goes wrong in reading it, it is not valid.
            raise TokenInvalidError from error

    def refresh_token(self, sign_in_id: UUID) -> "RefreshToken":
        """Return a new refresh token of a sign-in, sealed so that ``has_issued`` recognises it for ever."""
        nonce = secrets.token_urlsafe(32)
        return RefreshToken(sign_in_id, f"{nonce}.{self._seal(sign_in_id, nonce)}")

    def has_issued(self, token: "RefreshToken") -> bool:
        """Tell a token that was used up long ago from one that somebody made up around the id of a sign-in."""
        nonce, _, seal = token.secret.rpartition(".")
        return hmac.compare_digest(seal.encode(), self._seal(token.sign_in_id, nonce).encode())

    def _seal(self, sign_in_id: UUID, nonce: str) -> str:
        # No signed part of a JWT has a colon, so neither can be taken for the other.
        message = f"docent.refresh:{sign_in_id.hex}:{nonce}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key.encode(), message, "sha256")).decode().rstrip("=")


def _check_shape(token: str) -> None:
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != 3 or len(parts[0]) > 64 or not token.isascii():
        raise TokenInvalidError
    if orjson.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))) != HEADER:
        raise TokenInvalidError


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token: the sign-in it belongs to, and a secret of 256 bits of which only the hash is stored."""

    sign_in_id: UUID
    secret: str

    @classmethod
    def make(cls, sign_in_id: UUID) -> "RefreshToken":
        """Return a new token of a sign-in."""
        return cls(sign_in_id, secrets.token_urlsafe(32))

    @classmethod
    def read(cls, text: str) -> "RefreshToken":
        """Parse what ``text`` wrote.

        Raises:
            RefreshTokenInvalidError: It is something else.
        """
        sign_in, separator, secret = text.removeprefix(REFRESH_PREFIX).partition("_")
        if not text.startswith(REFRESH_PREFIX) or not separator or len(text) > 200 or not text.isascii():
            raise RefreshTokenInvalidError
        try:
            return cls(UUID(hex=sign_in), secret)
        except ValueError as error:
            raise RefreshTokenInvalidError from error

    @property
    def text(self) -> str:
        """The token as its holder keeps it."""
        return f"{REFRESH_PREFIX}{self.sign_in_id.hex}_{self.secret}"

    @property
    def hash(self) -> bytes:
        """What is stored. A fast hash is enough for 256 random bits."""
        return hashlib.sha256(self.secret.encode()).digest()
