"""Limits counted in this process."""

from time import monotonic
from uuid import uuid4

from limits.aio.storage import MemoryStorage

from backend.adapters.wire.rates import Rates
from backend.core.transactions import assert_no_transaction
from backend.ports.limiter import Allowance


class MemoryLimiter:
    """Counts for one process: the embedded shape, or while Redis is down. Nothing survives a restart."""

    def __init__(self) -> None:
        self._rates = Rates(MemoryStorage())
        self._leases: dict[tuple[str, str], dict[str, float]] = {}

    async def take(self, rule: str, subject: str, *, limit: int, seconds: int, cost: int = 1) -> Allowance:
        """See ``Limiter.take``."""
        assert_no_transaction("counting a rate")
        return await self._rates.take(rule, subject, limit=limit, seconds=seconds, cost=cost)

    async def peek(self, rule: str, subject: str, *, limit: int, seconds: int) -> Allowance:
        """See ``Limiter.peek``."""
        assert_no_transaction("reading a rate")
        return await self._rates.peek(rule, subject, limit=limit, seconds=seconds)

    async def forget(self, rule: str, subject: str, *, limit: int, seconds: int) -> None:
        """See ``Limiter.forget``."""
        assert_no_transaction("forgetting a rate")
        await self._rates.forget(rule, subject, limit=limit, seconds=seconds)

    async def enter(self, rule: str, subject: str, *, limit: int, lease_seconds: float) -> str | None:
        """See ``Limiter.enter``."""
        assert_no_transaction("taking a lease")
        if await self.entered(rule, subject) >= limit:
            return None
        lease = uuid4().hex
        self._leases.setdefault((rule, subject), {})[lease] = monotonic() + lease_seconds
        return lease

    async def renew(self, rule: str, subject: str, lease: str, *, lease_seconds: float) -> None:
        """See ``Limiter.renew``."""
        assert_no_transaction("renewing a lease")
        self._leases.setdefault((rule, subject), {})[lease] = monotonic() + lease_seconds

    async def leave(self, rule: str, subject: str, lease: str) -> None:
        """See ``Limiter.leave``."""
        assert_no_transaction("giving a lease back")
        leases = self._leases.get((rule, subject), {})
        leases.pop(lease, None)
        if not leases:
            self._leases.pop((rule, subject), None)

    async def entered(self, rule: str, subject: str) -> int:
        """See ``Limiter.entered``."""
        assert_no_transaction("counting leases")
        leases = self._leases.get((rule, subject), {})
        for lease in [lease for lease, until in leases.items() if until <= monotonic()]:
            del leases[lease]
        return len(leases)

    async def check(self) -> None:
        """See ``Limiter.check``: memory is always there."""

    async def aclose(self) -> None:
        """See ``Limiter.aclose``."""
