"""Guessing passwords and opening accounts in bulk."""

import asyncio
from contextlib import suppress

import pytest

from backend.adapters.limiters.memory import MemoryLimiter
from backend.core.errors import CredentialsInvalidError, RateLimitedError
from backend.services.throttling import ThrottleService

HOME = "203.0.113.7"


@pytest.fixture
def throttle() -> ThrottleService:
    return ThrottleService(MemoryLimiter(), enabled=True)


async def guess(throttle: ThrottleService, login: str, address: str | None = HOME) -> None:
    with suppress(CredentialsInvalidError):
        async with throttle.signing_in(login, address):
            raise CredentialsInvalidError


async def sign_in(throttle: ThrottleService, login: str, address: str | None = HOME) -> None:
    async with throttle.signing_in(login, address):
        pass


async def test_an_account_is_closed_after_ten_failures_wherever_they_come_from(throttle: ThrottleService) -> None:
    for n in range(10):
        await guess(throttle, "Alice" if n % 2 else " alice", f"203.0.113.{n}")

    with pytest.raises(RateLimitedError) as refused:
        await sign_in(throttle, "ALICE", "198.51.100.1")

    assert refused.value.details == {"limit": "failed_sign_ins_of_account"}
    assert 0 < (refused.value.retry_after_seconds or 0) <= 300
    await sign_in(throttle, "bob", "203.0.113.1")


async def test_a_success_clears_the_accounts_failures_and_counts_for_nothing(throttle: ThrottleService) -> None:
    for _ in range(9):
        await guess(throttle, "alice")
    for _ in range(30):
        await sign_in(throttle, "alice")
    for _ in range(9):
        await guess(throttle, "alice")

    await sign_in(throttle, "alice")


async def test_an_address_is_closed_after_fifty_failures_whichever_accounts_they_try(throttle: ThrottleService) -> None:
    for n in range(50):
        await guess(throttle, f"user{n}")

    with pytest.raises(RateLimitedError) as refused:
        await sign_in(throttle, "somebody-else")

    assert refused.value.details == {"limit": "failed_sign_ins_of_address"}
    await sign_in(throttle, "somebody-else", "203.0.113.8")


async def test_a_thousand_guesses_at_once_are_ten(throttle: ThrottleService) -> None:
    looked_at = 0

    async def attempt() -> None:
        nonlocal looked_at
        async with throttle.signing_in("alice", None):
            looked_at += 1
            await asyncio.sleep(0.02)
            raise CredentialsInvalidError

    outcomes = await asyncio.gather(*(attempt() for _ in range(1000)), return_exceptions=True)

    assert looked_at == 10
    assert sum(isinstance(outcome, RateLimitedError) for outcome in outcomes) == 990


async def test_a_failure_of_the_server_is_nobodys_guess(throttle: ThrottleService) -> None:
    for _ in range(15):
        with pytest.raises(ConnectionError):
            async with throttle.signing_in("alice", HOME):
                raise ConnectionError

    await sign_in(throttle, "alice")


async def test_an_hour_has_twenty_registrations_for_an_address(throttle: ThrottleService) -> None:
    for _ in range(20):
        await throttle.registering(HOME)

    with pytest.raises(RateLimitedError) as refused:
        await throttle.registering(HOME)

    assert refused.value.details == {"limit": "registrations_of_address"}
    await throttle.registering("203.0.113.8")


async def test_the_addresses_of_one_ipv6_network_count_as_one(throttle: ThrottleService) -> None:
    for n in range(20):
        await throttle.registering(f"2001:db8:0:1::{n:x}")

    with pytest.raises(RateLimitedError):
        await throttle.registering("2001:db8:0:1:ffff::1%eth0")
    await throttle.registering("2001:db8:0:2::1")


async def test_switched_off_nothing_is_counted() -> None:
    throttle = ThrottleService(MemoryLimiter(), enabled=False)

    for _ in range(60):
        await guess(throttle, "alice")
        await throttle.registering(HOME)
    await sign_in(throttle, "alice")
