"""Limits counted in Redis, so that all processes share them."""

from typing import Any, cast
from uuid import uuid4

from limits.aio.storage import RedisStorage
from redis.asyncio import Redis

from backend.adapters.wire.rates import Rates
from backend.adapters.wire.redis_pool import PREFIX, redis_pool, translated
from backend.core.errors import LimiterUnavailableError
from backend.core.transactions import assert_no_transaction
from backend.ports.limiter import Allowance

# The leases of a subject are a sorted set of their ends by Redis's own clock: the clocks of the processes may disagree.
# ARGV of all: the lease's length in milliseconds, the lease, the limit (renewing: a negative one, which means any number).
ENTER = """
local clock = redis.call('time')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
local limit = tonumber(ARGV[3])
if limit >= 0 and redis.call('zcard', KEYS[1]) >= limit then return 0 end
redis.call('zadd', KEYS[1], now + ARGV[1], ARGV[2])
local last = redis.call('zrange', KEYS[1], -1, -1, 'withscores')
redis.call('pexpireat', KEYS[1], last[2])
return 1
"""
ENTERED = """
local clock = redis.call('time')
return redis.call('zcount', KEYS[1], '(' .. (clock[1] * 1000 + math.floor(clock[2] / 1000)), '+inf')
"""
ANY_NUMBER = -1


class RedisLimiter:
    """Counts in one Redis server, at ``redis://``, ``rediss://`` or ``unix://``. It never retries: whoever calls decides."""

    def __init__(self, url: str) -> None:
        self._pool = redis_pool(url)
        self._redis = Redis(connection_pool=self._pool)
        options: dict[str, Any] = {"connection_pool": self._pool}
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=f"{PREFIX}:rates", **options)
        self._rates = Rates(storage)
        self._enter = self._redis.register_script(ENTER)
        self._entered = self._redis.register_script(ENTERED)

    async def take(self, rule: str, subject: str, *, limit: int, seconds: int, cost: int = 1) -> Allowance:
        """See ``Limiter.take``."""
        assert_no_transaction("counting a rate")
        with translated(LimiterUnavailableError):
            return await self._rates.take(rule, subject, limit=limit, seconds=seconds, cost=cost)

    async def peek(self, rule: str, subject: str, *, limit: int, seconds: int) -> Allowance:
        """See ``Limiter.peek``."""
        assert_no_transaction("reading a rate")
        with translated(LimiterUnavailableError):
            return await self._rates.peek(rule, subject, limit=limit, seconds=seconds)

    async def forget(self, rule: str, subject: str, *, limit: int, seconds: int) -> None:
        """See ``Limiter.forget``."""
        assert_no_transaction("forgetting a rate")
        with translated(LimiterUnavailableError):
            await self._rates.forget(rule, subject, limit=limit, seconds=seconds)

    async def enter(self, rule: str, subject: str, *, limit: int, lease_seconds: float) -> str | None:
        """See ``Limiter.enter``."""
        assert_no_transaction("taking a lease")
        lease = uuid4().hex
        with translated(LimiterUnavailableError):
            entered = await self._enter([_key(rule, subject)], [int(lease_seconds * 1000), lease, limit])
        return lease if entered else None

    async def renew(self, rule: str, subject: str, lease: str, *, lease_seconds: float) -> None:
        """See ``Limiter.renew``."""
        assert_no_transaction("renewing a lease")
        with translated(LimiterUnavailableError):
            await self._enter([_key(rule, subject)], [int(lease_seconds * 1000), lease, ANY_NUMBER])

    async def leave(self, rule: str, subject: str, lease: str) -> None:
        """See ``Limiter.leave``."""
        assert_no_transaction("giving a lease back")
        with translated(LimiterUnavailableError):
            await self._redis.zrem(_key(rule, subject), lease)

    async def entered(self, rule: str, subject: str) -> int:
        """See ``Limiter.entered``."""
        assert_no_transaction("counting leases")
        with translated(LimiterUnavailableError):
            return int(cast(int, await self._entered([_key(rule, subject)])))

    async def check(self) -> None:
        """See ``Limiter.check``."""
        assert_no_transaction("asking Redis whether it is there")
        with translated(LimiterUnavailableError):
            await self._redis.exists(PREFIX)

    async def aclose(self) -> None:
        """See ``Limiter.aclose``."""
        await self._pool.aclose()


def _key(rule: str, subject: str) -> str:
    return f"{PREFIX}:leases:{rule}:{subject}"
