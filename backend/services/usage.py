"""What callers may do now, and what they have used."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, timedelta
from time import monotonic
from uuid import UUID

from backend.core.clock import now
from backend.core.errors import RateLimitedError
from backend.core.values.limits import DayTotals, DayUsage, LimitState, Tier, UsageState
from backend.core.values.user import Tier as TierName
from backend.db.uow import UnitOfWork
from backend.ports.limiter import Allowance, Limiter
from backend.services.quotas import Quotas, seconds_until_midnight

REQUESTS = "requests_per_minute"
STREAMS = "concurrent_streams"
EXPORTS = "running_exports"
WATCHES = "watched_documents"
FOLLOWS = "followed_answers"
MOST_WATCHES = 20
"""Of one account, in every tier: as many as one request can upload."""
MOST_FOLLOWS = 20
"""Of one account, in every tier: answers that are read again, or on."""
MINUTE = 60
LEASE_SECONDS = 60.0
"""How long a place stays taken after its process was killed."""
TIERS_KEPT_SECONDS = 5.0


class UsageService:
    """Counts requests and answers against the caller's tier. With ``enabled`` false everybody may do everything."""

    def __init__(self, uow: UnitOfWork, limiter: Limiter, quotas: Quotas, *, enabled: bool) -> None:
        self._uow = uow
        self._limiter = limiter
        self._quotas = quotas
        self._enabled = enabled
        self._tiers: Mapping[TierName, Tier] = {}
        self._tiers_read_at = 0.0

    async def count_request(self, user_id: UUID, tier: TierName) -> Allowance | None:
        """Count a request of an account, whichever credential it came with; ``None`` where nothing is limited.

        A refusal is not raised: the answer that refuses tells the allowance too. ``assert_allowed`` raises it.
        """
        if not self._enabled:
            return None
        limit = (await self._tier(tier)).requests_per_minute
        return await self._limiter.take(REQUESTS, str(user_id), limit=limit, seconds=MINUTE)

    @asynccontextmanager
    async def enter_stream(self, user_id: UUID, tier: TierName) -> AsyncIterator[None]:
        """Count an answer as running, streamed or not, within the block. A killed process frees its places within a minute.

        Raises:
            RateLimitedError: As many answers as the tier allows are running; ``details`` says ``concurrent_streams``.
        """
        if not self._enabled:
            yield
            return
        limit = (await self._tier(tier)).concurrent_streams
        async with self._place(STREAMS, user_id, limit, f"Your account may have {limit:,} answers running at the same time."):
            yield

    def enter_export(self, user_id: UUID) -> AbstractAsyncContextManager[None]:
        """Count an export as running within the block: each reads everything that an account has, so there is one at a time.

        Raises:
            RateLimitedError: Another export of this account is running; ``details`` says ``running_exports``.
        """
        return self._place(EXPORTS, user_id, 1, "Your account has an export running. Wait until it ends.")

    def enter_watch(self, user_id: UUID) -> AbstractAsyncContextManager[None]:
        """Count a document as watched within the block. That takes no place of an answer.

        Raises:
            RateLimitedError: As many as is allowed are being watched; ``details`` says ``watched_documents``.
        """
        return self._place(WATCHES, user_id, MOST_WATCHES, f"Your account may watch {MOST_WATCHES} documents at the same time.")

    def enter_follow(self, user_id: UUID) -> AbstractAsyncContextManager[None]:
        """Count an answer as followed within the block. That takes no place of an answer, which has one as long as it runs.

        Raises:
            RateLimitedError: As many as is allowed are being followed; ``details`` says ``followed_answers``.
        """
        return self._place(FOLLOWS, user_id, MOST_FOLLOWS, f"Your account may follow {MOST_FOLLOWS} answers at the same time.")

    @asynccontextmanager
    async def _place(self, rule: str, user_id: UUID, limit: int, sentence: str) -> AsyncIterator[None]:
        if not self._enabled:
            yield
            return
        subject = str(user_id)
        lease = await self._limiter.enter(rule, subject, limit=limit, lease_seconds=LEASE_SECONDS)
        if lease is None:
            raise RateLimitedError(sentence, limit=rule, retry_after_seconds=1)
        renewal = asyncio.create_task(self._keep(rule, subject, lease))
        try:
            yield
        finally:
            renewal.cancel()
            await self._limiter.leave(rule, subject, lease)

    async def assert_may_store(self, owner_id: UUID, incoming_bytes: int | None, *, replacing: int | None = None) -> None:
        """Return if there seems to be room for a file, before its bytes are read; ``Quotas.check_room`` decides when it is stored.

        The file is a new document, or takes the place of one that has ``replacing`` bytes.

        Raises:
            QuotaExceededError: ``details`` says which: ``documents`` or ``stored_bytes``.
        """
        async with self._uow.of(owner_id) as tx:
            # Without a known length: at least one byte.
            await self._quotas.check_room(tx, owner_id, incoming_bytes or 1, hold=False, replacing=replacing)

    async def assert_may_ask(self, owner_id: UUID) -> None:
        """Return if today's tokens are not used up: for what spends tokens without storing a question.

        Raises:
            QuotaExceededError: ``details`` says ``tokens_per_day``.
        """
        async with self._uow.of(owner_id) as tx:
            await self._quotas.check_tokens(tx, owner_id)

    async def state(self, owner_id: UUID, tier_name: TierName) -> UsageState:
        """Return all limits of an account and how much of each is used."""
        tier = await self._tier(tier_name)
        at, subject = now(), str(owner_id)
        async with self._uow.of(owner_id) as tx:
            stored = await tx.usage.stored(owner_id)
            today = await tx.usage.of_day(owner_id, at.date())
        requests = await self._limiter.peek(REQUESTS, subject, limit=tier.requests_per_minute, seconds=MINUTE)
        streams = await self._limiter.entered(STREAMS, subject)
        limits = (
            LimitState("requests_per_minute", requests.limit, requests.limit - requests.remaining, requests.reset_seconds),
            LimitState("concurrent_streams", tier.concurrent_streams, streams, None),
            LimitState("documents", tier.documents, stored.documents, None),
            LimitState("stored_bytes", tier.stored_bytes, stored.bytes, None),
            LimitState("tokens_per_day", tier.tokens_per_day, today.tokens, seconds_until_midnight(at)),
        )
        return UsageState(tier_name, self._enabled, limits)

    async def days(self, owner_id: UUID, *, days: int) -> list[DayUsage]:
        """Return what an account has used on each of the last days (of UTC), today first; days without use are left out."""
        async with self._uow.of(owner_id) as tx:
            return await tx.usage.days(owner_id, _since(days))

    async def totals(self, *, days: int) -> list[DayTotals]:
        """Return what all accounts together have used, like ``days``."""
        async with self._uow.system() as tx:
            return await tx.usage.totals(_since(days))

    async def _keep(self, rule: str, subject: str, lease: str) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            await self._limiter.renew(rule, subject, lease, lease_seconds=LEASE_SECONDS)

    async def _tier(self, name: TierName) -> Tier:
        """Return a tier as it was some seconds ago at most: it is needed for every request and hardly ever changes."""
        if not self._tiers or monotonic() - self._tiers_read_at >= TIERS_KEPT_SECONDS:
            read_at = monotonic()
            async with self._uow.system() as tx:
                self._tiers = {tier.name: tier for tier in await tx.tiers.all()}
            self._tiers_read_at = read_at
        return self._tiers[name]


def _since(days: int) -> date:
    return now().date() - timedelta(days=days - 1)


def assert_allowed(allowance: Allowance) -> None:
    """Return if a request was counted.

    Raises:
        RateLimitedError: The minute is used up; ``details`` says ``requests_per_minute``.
    """
    if not allowance.allowed:
        raise RateLimitedError(
            f"Your account may send {allowance.limit:,} requests a minute.",
            limit=REQUESTS,
            retry_after_seconds=allowance.reset_seconds,
        )
