"""Limits that go on when the shared count is away."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

import structlog

from backend.core.errors import LimiterUnavailableError
from backend.ports.limiter import Allowance, Limiter

log = structlog.get_logger(__name__)

T = TypeVar("T")

TRY_AGAIN_SECONDS = 5.0


class FallbackLimiter:
    """Counts in ``shared``, and in ``local`` while that is down.

    Limits protect the product and must not take it down: without Redis every process counts for itself, from nothing, so an account
    gets at most its limit times the number of processes, and nobody is refused for the outage. The log says when it begins and
    ends. While it lasts, ``shared`` is tried again every ``try_again_seconds``, not by every request.
    """

    def __init__(self, shared: Limiter, local: Limiter, *, try_again_seconds: float = TRY_AGAIN_SECONDS) -> None:
        self._shared = shared
        self._local = local
        self._try_again_seconds = try_again_seconds
        self._down = False
        self._try_at = monotonic()

    async def take(self, rule: str, subject: str, *, limit: int, seconds: int, cost: int = 1) -> Allowance:
        """See ``Limiter.take``."""
        return await self._first(lambda limiter: limiter.take(rule, subject, limit=limit, seconds=seconds, cost=cost))

    async def peek(self, rule: str, subject: str, *, limit: int, seconds: int) -> Allowance:
        """See ``Limiter.peek``."""
        return await self._first(lambda limiter: limiter.peek(rule, subject, limit=limit, seconds=seconds))

    async def forget(self, rule: str, subject: str, *, limit: int, seconds: int) -> None:
        """See ``Limiter.forget``."""
        await self._local.forget(rule, subject, limit=limit, seconds=seconds)
        await self._first(lambda limiter: limiter.forget(rule, subject, limit=limit, seconds=seconds))

    async def enter(self, rule: str, subject: str, *, limit: int, lease_seconds: float) -> str | None:
        """See ``Limiter.enter``."""
        return await self._first(lambda limiter: limiter.enter(rule, subject, limit=limit, lease_seconds=lease_seconds))

    async def renew(self, rule: str, subject: str, lease: str, *, lease_seconds: float) -> None:
        """See ``Limiter.renew``. What began on one side goes on counting on the side that is in use now."""
        await self._first(lambda limiter: limiter.renew(rule, subject, lease, lease_seconds=lease_seconds))

    async def leave(self, rule: str, subject: str, lease: str) -> None:
        """See ``Limiter.leave``. A renewed lease may be on both sides."""
        await self._local.leave(rule, subject, lease)
        await self._first(lambda limiter: limiter.leave(rule, subject, lease))

    async def entered(self, rule: str, subject: str) -> int:
        """See ``Limiter.entered``."""
        return await self._first(lambda limiter: limiter.entered(rule, subject))

    async def check(self) -> None:
        """See ``Limiter.check``: tells the state of the shared count, with which the limits are what they should be."""
        await self._shared.check()

    async def aclose(self) -> None:
        """See ``Limiter.aclose``."""
        await self._shared.aclose()
        await self._local.aclose()

    async def _first(self, call: Callable[[Limiter], Awaitable[T]]) -> T:
        if not self._down or monotonic() >= self._try_at:
            # The next ones need not find out too while this one is waiting for an answer.
            self._try_at = monotonic() + self._try_again_seconds
            try:
                result = await call(self._shared)
            except LimiterUnavailableError as error:
                if not self._down:
                    log.warning("limits_counted_by_each_process", reason=type(error.__cause__).__name__)
                self._down = True
            else:
                if self._down:
                    log.info("limits_shared_again")
                self._down = False
                return result
        return await call(self._local)
