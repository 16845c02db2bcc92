"""Rates, counted by the ``limits`` library over a storage of its own.

Its sliding window counter, because two counters a subject are all it keeps, and no burst passes at the edge of a window. The
moving window is exact, but stores a time for each unit (3,000 a minute for one account of the largest tier), and its storage in
memory starts a thread for every key at every hit.
"""

from time import time

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from backend.ports.limiter import Allowance


class Rates:
    """The half of ``Limiter`` that counts rates."""

    def __init__(self, storage: MemoryStorage | RedisStorage) -> None:
        self._windows = SlidingWindowCounterRateLimiter(storage)

    async def take(self, rule: str, subject: str, *, limit: int, seconds: int, cost: int) -> Allowance:
        """See ``Limiter.take``."""
        item = RateLimitItemPerSecond(limit, seconds)
        taken = await self._windows.hit(item, rule, subject, cost=cost)
        return await self._allowance(item, rule, subject, allowed=taken)

    async def peek(self, rule: str, subject: str, *, limit: int, seconds: int) -> Allowance:
        """See ``Limiter.peek``."""
        return await self._allowance(RateLimitItemPerSecond(limit, seconds), rule, subject)

    async def forget(self, rule: str, subject: str, *, limit: int, seconds: int) -> None:
        """See ``Limiter.forget``."""
        await self._windows.clear(RateLimitItemPerSecond(limit, seconds), rule, subject)

    async def _allowance(self, item: RateLimitItemPerSecond, rule: str, subject: str, *, allowed: bool | None = None) -> Allowance:
        stats = await self._windows.get_window_stats(item, rule, subject)
        return Allowance(
            allowed=stats.remaining > 0 if allowed is None else allowed,
            limit=item.amount,
            remaining=stats.remaining,
            reset_seconds=max(stats.reset_time - time(), 0.0),
        )
