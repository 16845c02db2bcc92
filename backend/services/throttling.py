"""Slowing down those who guess passwords or open accounts in bulk."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from backend.core.errors import CredentialsInvalidError, PasswordWrongError, RateLimitedError
from backend.ports.limiter import Limiter

ATTEMPT_SECONDS = 60.0
"""How long an attempt that was cut counts as going on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """At most ``limit`` in ``seconds``."""

    name: str
    limit: int
    seconds: int


SIGN_INS_OF_ACCOUNT = Rule("failed_sign_ins_of_account", 10, 300)
SIGN_INS_OF_ADDRESS = Rule("failed_sign_ins_of_address", 50, 300)
REGISTRATIONS_OF_ADDRESS = Rule("registrations_of_address", 20, 3600)


class ThrottleService:
    """Limits per account and per address, for callers who have not proven who they are. With ``enabled`` false it limits nothing.

    Logins are hashed, so the counts hold no names. An IPv6 address counts as its /64: that is what one customer is given.
    """

    def __init__(self, limiter: Limiter, *, enabled: bool) -> None:
        self._limiter = limiter
        self._enabled = enabled

    @asynccontextmanager
    async def signing_in(self, login: str, address: str | None) -> AsyncIterator[None]:
        """Surround an attempt to prove a password. A wrong one counts as a failure; a success clears the account's count.

        Attempts that are going on count too, so that a thousand guesses sent at once are not a thousand guesses. Whether the
        account exists makes no difference.

        Raises:
            RateLimitedError: Too many failures; the password was not looked at. ``details`` says of which: ``limit``.
        """
        if not self._enabled:
            yield
            return
        account = hashlib.sha256(login.strip().lower().encode()).hexdigest()[:32]
        counted = [(SIGN_INS_OF_ACCOUNT, account)]
        if address is not None:
            counted.append((SIGN_INS_OF_ADDRESS, _network(address)))
        async with AsyncExitStack() as attempts:
            for rule, subject in counted:
                await attempts.enter_async_context(self._attempt(rule, subject))
            try:
                yield
            except (CredentialsInvalidError, PasswordWrongError):
                for rule, subject in counted:
                    await self._limiter.take(rule.name, subject, limit=rule.limit, seconds=rule.seconds)
                raise
            rule = SIGN_INS_OF_ACCOUNT
            await self._limiter.forget(rule.name, account, limit=rule.limit, seconds=rule.seconds)

    async def registering(self, address: str | None) -> None:
        """Count a registration.

        Raises:
            RateLimitedError: Too many from this address; ``details`` says ``registrations_of_address``.
        """
        if not self._enabled or address is None:
            return
        rule = REGISTRATIONS_OF_ADDRESS
        allowance = await self._limiter.take(rule.name, _network(address), limit=rule.limit, seconds=rule.seconds)
        if not allowance.allowed:
            raise RateLimitedError(
                "Too many registrations from your network. Try again later.",
                limit=rule.name,
                retry_after_seconds=allowance.reset_seconds,
            )

    @asynccontextmanager
    async def _attempt(self, rule: Rule, subject: str) -> AsyncIterator[None]:
        """Hold one of the failures that are left for as long as it is not known whether this is one."""
        allowance = await self._limiter.peek(rule.name, subject, limit=rule.limit, seconds=rule.seconds)
        lease = None
        if allowance.allowed:
            lease = await self._limiter.enter(rule.name, subject, limit=allowance.remaining, lease_seconds=ATTEMPT_SECONDS)
        if lease is None:
            raise RateLimitedError(
                "Too many failed sign-ins. Wait a while, then try again.",
                limit=rule.name,
                # All that are left are being tried at this moment: whether they fail will be known soon.
                retry_after_seconds=1 if allowance.allowed else allowance.reset_seconds,
            )
        try:
            yield
        finally:
            await self._limiter.leave(rule.name, subject, lease)


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]  # A proxy that is trusted said something else; it is a name like any other.
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
