"""What every limiter does, in memory and in a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from backend.adapters.limiters.fallback import FallbackLimiter
from backend.adapters.limiters.memory import MemoryLimiter
from backend.adapters.limiters.redis import RedisLimiter
from backend.core.transactions import transaction_open
from backend.ports.limiter import Limiter
from tests.support.redis import running_redis

HOUR = 3600
"""Long windows: the test never meets the edge of one."""


@pytest.fixture(params=["memory", "redis", "fallback"])
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[Limiter]:
    async with AsyncExitStack() as stack:
        made: Limiter = MemoryLimiter()
        if request.param != "memory":
            made = RedisLimiter((await stack.enter_async_context(running_redis())).url)
        if request.param == "fallback":
            made = FallbackLimiter(made, MemoryLimiter())
        stack.push_async_callback(made.aclose)
        yield made


@pytest.fixture
def who() -> str:
    return uuid4().hex


async def test_a_rate_lets_its_limit_through_and_says_what_is_left(limiter: Limiter, who: str) -> None:
    untouched = await limiter.peek("calls", who, limit=3, seconds=HOUR)
    taken = [await limiter.take("calls", who, limit=3, seconds=HOUR) for _ in range(5)]

    assert (untouched.allowed, untouched.remaining, untouched.reset_seconds) == (True, 3, 0)
    assert [(a.allowed, a.remaining) for a in taken] == [(True, 2), (True, 1), (True, 0), (False, 0), (False, 0)]
    assert all(a.limit == 3 and 0 <= a.reset_seconds <= HOUR for a in taken)


async def test_looking_takes_nothing(limiter: Limiter, who: str) -> None:
    for _ in range(5):
        assert (await limiter.peek("calls", who, limit=1, seconds=HOUR)).allowed

    await limiter.take("calls", who, limit=1, seconds=HOUR)

    assert not (await limiter.peek("calls", who, limit=1, seconds=HOUR)).allowed


async def test_rules_and_subjects_do_not_share_counts(limiter: Limiter, who: str) -> None:
    await limiter.take("calls", who, limit=1, seconds=HOUR)
    await limiter.enter("streams", who, limit=1, lease_seconds=60)

    assert (await limiter.take("calls", f"{who}-other", limit=1, seconds=HOUR)).allowed
    assert (await limiter.take("logins", who, limit=1, seconds=HOUR)).allowed
    assert await limiter.enter("streams", f"{who}-other", limit=1, lease_seconds=60)
    assert await limiter.enter("uploads", who, limit=1, lease_seconds=60)


async def test_a_cost_is_taken_whole_or_not_at_all(limiter: Limiter, who: str) -> None:
    assert (await limiter.take("units", who, limit=10, seconds=HOUR, cost=7)).remaining == 3
    refused = await limiter.take("units", who, limit=10, seconds=HOUR, cost=4)
    assert (refused.allowed, refused.remaining) == (False, 3)
    assert (await limiter.take("units", who, limit=10, seconds=HOUR, cost=3)).allowed


async def test_a_limit_of_nothing_lets_nothing_through(limiter: Limiter, who: str) -> None:
    assert not (await limiter.take("calls", who, limit=0, seconds=HOUR)).allowed
    assert await limiter.enter("streams", who, limit=0, lease_seconds=60) is None


async def test_what_is_forgotten_begins_anew(limiter: Limiter, who: str) -> None:
    await limiter.take("calls", who, limit=1, seconds=HOUR)

    await limiter.forget("calls", who, limit=1, seconds=HOUR)

    assert (await limiter.take("calls", who, limit=1, seconds=HOUR)).allowed


async def test_time_gives_back_what_was_taken(limiter: Limiter, who: str) -> None:
    while (await limiter.take("calls", who, limit=4, seconds=1)).allowed:
        pass
    refused = await limiter.take("calls", who, limit=4, seconds=1)

    await asyncio.sleep(refused.reset_seconds + 0.05)

    assert (await limiter.take("calls", who, limit=4, seconds=1)).allowed


async def test_hundreds_at_once_never_get_more_than_the_limit(limiter: Limiter, who: str) -> None:
    taken = await asyncio.gather(*(limiter.take("calls", who, limit=37, seconds=HOUR) for _ in range(400)))
    leases = await asyncio.gather(*(limiter.enter("streams", who, limit=11, lease_seconds=60) for _ in range(300)))

    assert sum(allowance.allowed for allowance in taken) == 37
    assert len({lease for lease in leases if lease is not None}) == 11
    assert await limiter.entered("streams", who) == 11


async def test_leaving_makes_room_and_leaving_again_changes_nothing(limiter: Limiter, who: str) -> None:
    first = await limiter.enter("streams", who, limit=2, lease_seconds=60)
    await limiter.enter("streams", who, limit=2, lease_seconds=60)
    assert await limiter.enter("streams", who, limit=2, lease_seconds=60) is None

    assert first is not None
    for _ in range(2):
        await limiter.leave("streams", who, first)

    assert await limiter.entered("streams", who) == 1
    assert await limiter.enter("streams", who, limit=2, lease_seconds=60)


async def test_a_lease_that_nobody_renews_ends_by_itself(limiter: Limiter, who: str) -> None:
    kept = await limiter.enter("streams", who, limit=2, lease_seconds=0.3)
    await limiter.enter("streams", who, limit=2, lease_seconds=0.3)
    assert kept is not None

    await asyncio.sleep(0.2)
    await limiter.renew("streams", who, kept, lease_seconds=60)
    await asyncio.sleep(0.2)

    assert await limiter.entered("streams", who) == 1
    assert await limiter.enter("streams", who, limit=2, lease_seconds=60)
    assert await limiter.enter("streams", who, limit=2, lease_seconds=60) is None


async def test_a_short_lease_does_not_shorten_the_others(limiter: Limiter, who: str) -> None:
    await limiter.enter("streams", who, limit=2, lease_seconds=60)
    await limiter.enter("streams", who, limit=2, lease_seconds=0.1)

    await asyncio.sleep(0.15)

    assert await limiter.entered("streams", who) == 1


async def test_nothing_is_counted_inside_a_transaction(limiter: Limiter, who: str) -> None:
    token = transaction_open.set(True)
    try:
        for attempt in (
            limiter.take("calls", who, limit=1, seconds=1),
            limiter.peek("calls", who, limit=1, seconds=1),
            limiter.forget("calls", who, limit=1, seconds=1),
            limiter.enter("calls", who, limit=1, lease_seconds=1),
            limiter.renew("calls", who, "lease", lease_seconds=1),
            limiter.leave("calls", who, "lease"),
            limiter.entered("calls", who),
        ):
            with pytest.raises(RuntimeError, match="inside an open transaction"):
                await attempt
    finally:
        transaction_open.reset(token)
