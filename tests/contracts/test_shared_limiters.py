"""Limits that several processes share, and what happens when they cannot."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from backend.adapters.limiters.fallback import FallbackLimiter
from backend.adapters.limiters.memory import MemoryLimiter
from backend.adapters.limiters.redis import RedisLimiter
from backend.core.errors import LimiterUnavailableError
from tests.support.chroma import free_port
from tests.support.redis import RedisServer, running_redis

HOUR = 3600


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with running_redis() as server:
        yield server


async def test_two_processes_share_one_count(redis: RedisServer) -> None:
    one, other = RedisLimiter(redis.url), RedisLimiter(redis.url)

    taken = await asyncio.gather(
        *(limiter.take("calls", "alice", limit=50, seconds=HOUR) for limiter in (one, other) for _ in range(200))
    )
    leases = [await limiter.enter("streams", "alice", limit=3, lease_seconds=60) for limiter in (one, other) * 2]

    assert sum(allowance.allowed for allowance in taken) == 50
    assert [lease is not None for lease in leases] == [True, True, True, False]
    await one.aclose()
    await other.aclose()


async def test_a_redis_that_is_down_is_said_and_not_waited_for() -> None:
    limiter = RedisLimiter(f"redis://127.0.0.1:{free_port()}/0")

    for attempt in (limiter.take("calls", "alice", limit=1, seconds=1), limiter.entered("streams", "alice"), limiter.check()):
        with pytest.raises(LimiterUnavailableError):
            async with asyncio.timeout(30):
                await attempt

    await limiter.aclose()


async def test_a_redis_that_accepts_and_says_nothing_is_given_up_after_its_deadline() -> None:
    hung_up = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        while await reader.read():
            pass
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    limiter = RedisLimiter(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")

    with pytest.raises(LimiterUnavailableError):
        async with asyncio.timeout(30):
            await limiter.take("calls", "alice", limit=1, seconds=HOUR)

    await limiter.aclose()
    async with asyncio.timeout(30):
        await hung_up.wait()
    server.close()
    await server.wait_closed()


async def test_while_redis_is_down_every_process_counts_for_itself_and_the_log_says_so_once(redis: RedisServer) -> None:
    shared = RedisLimiter(redis.url)
    limiter = FallbackLimiter(shared, MemoryLimiter(), try_again_seconds=0.2)
    assert (await limiter.take("calls", "alice", limit=2, seconds=HOUR)).remaining == 1
    lease = await limiter.enter("streams", "alice", limit=1, lease_seconds=60)
    assert lease is not None

    with structlog.testing.capture_logs() as logs:
        await redis.kill()
        outage = [await limiter.take("calls", "alice", limit=2, seconds=HOUR) for _ in range(3)]
        await limiter.renew("streams", "alice", lease, lease_seconds=60)
        running = await limiter.entered("streams", "alice")
        await redis.start()
        await asyncio.sleep(0.25)
        back = await limiter.take("calls", "alice", limit=2, seconds=HOUR)
        await limiter.leave("streams", "alice", lease)

    assert [allowance.allowed for allowance in outage] == [True, True, False], "a limit still holds, from nothing"
    assert running == 1, "what goes on counts on"
    assert back.remaining == 1
    assert await limiter.entered("streams", "alice") == 0
    assert [entry["event"] for entry in logs] == ["limits_counted_by_each_process", "limits_shared_again"]
    await limiter.aclose()


async def test_an_outage_is_not_waited_for_by_every_request(redis: RedisServer) -> None:
    await redis.kill()
    limiter = FallbackLimiter(RedisLimiter(redis.url), MemoryLimiter(), try_again_seconds=60)
    await limiter.take("calls", "alice", limit=1000, seconds=HOUR)
    await redis.start()

    for _ in range(50):
        await limiter.take("calls", "alice", limit=1000, seconds=HOUR)

    assert (await limiter.peek("calls", "alice", limit=1000, seconds=HOUR)).remaining == 949, "all of them in this process"
    with_redis = RedisLimiter(redis.url)
    assert (await with_redis.peek("calls", "alice", limit=1000, seconds=HOUR)).remaining == 1000
    await with_redis.aclose()
    await limiter.aclose()
