"""Tiers: what is counted, what is refused, and what the account is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.adapters.limiters.memory import MemoryLimiter
from backend.bootstrap.application import Application
from backend.core.clock import now
from backend.core.config import Settings
from backend.core.errors import ConfigurationError, QuotaExceededError, RateLimitedError
from backend.core.values.chat import Question
from backend.core.values.limits import LimitState
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.services import usage as usage_module
from backend.services.providers import Providers
from backend.services.quotas import Quotas, seconds_until_midnight
from backend.services.usage import UsageService, assert_allowed
from tests.conftest import ApplicationFactory, registered
from tests.support.cluster import Database
from tests.support.files import a_file


@pytest.fixture
async def uow(database: Database) -> AsyncIterator[UnitOfWork]:
    opened = UnitOfWork(make_engine(database.app_url, pool_size=4))
    yield opened
    await opened.aclose()


async def with_limits(uow: UnitOfWork, **limits: int) -> None:
    async with uow.system() as tx:
        assert await tx.tiers.update("free", **limits) is not None


async def state_of(usage: UsageService, owner: UUID) -> dict[str, LimitState]:
    return {limit.name: limit for limit in (await usage.state(owner, "free")).limits}


@pytest.fixture
async def limited(application: ApplicationFactory) -> AsyncIterator[Application]:
    async with application(settings={"limits_enabled": True}) as running:
        yield running


@pytest.fixture
async def carol(limited: Application) -> UUID:
    return await registered(limited.services, "carol")


async def test_requests_of_an_account_are_counted_together_and_tiers_apart(
    limited: Application, uow: UnitOfWork, carol: UUID
) -> None:
    await with_limits(uow, requests_per_minute=3)
    usage = limited.services.usage

    counted = [await usage.count_request(carol, "free") for _ in range(5)]
    other = await usage.count_request(uuid4(), "free")

    # A minute of the clock that ends in the middle gives one more.
    assert [c is not None and c.allowed for c in counted] in ([True] * 3 + [False] * 2, [True] * 4 + [False])
    assert counted[-1] is not None
    with pytest.raises(RateLimitedError) as refused:
        assert_allowed(counted[-1])
    assert refused.value.details == {"limit": "requests_per_minute"}
    assert refused.value.retry_after_seconds is not None
    assert 0 <= refused.value.retry_after_seconds <= 60
    assert other is not None
    assert other.allowed
    pro = await usage.count_request(carol, "pro")
    assert pro is not None
    assert pro.allowed


async def test_a_changed_tier_counts_after_some_seconds(
    limited: Application, uow: UnitOfWork, carol: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = limited.services.usage
    await usage.state(carol, "free")
    await with_limits(uow, documents=7)

    assert (await state_of(usage, carol))["documents"].limit == 100
    monkeypatch.setattr(usage_module, "TIERS_KEPT_SECONDS", 0.0)

    assert (await state_of(usage, carol))["documents"].limit == 7


async def test_no_more_answers_run_at_once_than_the_tier_allows(limited: Application, uow: UnitOfWork, carol: UUID) -> None:
    await with_limits(uow, concurrent_streams=2)
    usage = limited.services.usage

    async with usage.enter_stream(carol, "free"), usage.enter_stream(carol, "free"):
        with pytest.raises(RateLimitedError) as refused:
            async with usage.enter_stream(carol, "free"):
                pass
    async with usage.enter_stream(carol, "free"):
        running = (await state_of(usage, carol))["concurrent_streams"].used

    assert refused.value.details == {"limit": "concurrent_streams"}
    assert running == 1


async def test_an_answer_that_fails_gives_its_place_back_and_a_long_one_keeps_it(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_limits(uow, concurrent_streams=1)
    usage = UsageService(uow, MemoryLimiter(), Quotas(Providers(ScriptedChatModel()), enabled=True), enabled=True)
    monkeypatch.setattr(usage_module, "LEASE_SECONDS", 0.15)
    owner = uuid4()

    with pytest.raises(ZeroDivisionError):
        async with usage.enter_stream(owner, "free"):
            raise ZeroDivisionError
    async with usage.enter_stream(owner, "free"):
        await asyncio.sleep(0.4)
        with pytest.raises(RateLimitedError):
            async with usage.enter_stream(owner, "free"):
                pass


async def test_documents_and_bytes_are_limited_and_deleting_makes_room(limited: Application, uow: UnitOfWork, carol: UUID) -> None:
    await with_limits(uow, documents=2, stored_bytes=30)
    documents = limited.services.documents
    await documents.upload(carol, a_file("a.md", b"a" * 10))

    with pytest.raises(QuotaExceededError) as too_large:
        await documents.upload(carol, a_file("b.md", b"b" * 21))
    second = await documents.upload(carol, a_file("b.md", b"b" * 20))
    with pytest.raises(QuotaExceededError) as too_many:
        await documents.upload(carol, a_file("c.md", b"c"))
    with pytest.raises(QuotaExceededError):
        await limited.services.usage.assert_may_store(carol, None)
    await documents.delete(carol, second.id)
    await limited.services.usage.assert_may_store(carol, 20)
    await documents.upload(carol, a_file("c.md", b"c"))

    assert too_large.value.details == {"limit": "stored_bytes"}
    assert too_many.value.details == {"limit": "documents"}
    assert too_many.value.retry_after_seconds is None
    state = await state_of(limited.services.usage, carol)
    assert (state["documents"].used, state["stored_bytes"].used) == (2, 11)


async def test_uploads_at_once_never_get_past_the_limit(limited: Application, uow: UnitOfWork, carol: UUID) -> None:
    await with_limits(uow, documents=3)

    outcomes = await asyncio.gather(
        *(limited.services.documents.upload(carol, a_file(f"{n}.md", f"text {n}".encode())) for n in range(12)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, QuotaExceededError) for outcome in outcomes) == 9
    async with uow.of(carol) as tx:
        assert (await tx.usage.stored(carol)).documents == 3


async def test_answers_are_noted_and_the_days_tokens_run_out(limited: Application, uow: UnitOfWork, carol: UUID) -> None:
    chat = limited.services.chat
    answer = await (await chat.ask(carol, Question("What do whales eat?"), streamed=False)).answer()
    async with uow.of(carol) as tx:
        used = await tx.usage.of_day(carol, now().date())
    await with_limits(uow, tokens_per_day=used.tokens)

    assert answer.usage.completion_tokens is None, "this provider does not count, so it is estimated"
    assert (used.questions, used.prompt_tokens > 0, used.completion_tokens > 0) == (1, True, True)
    with pytest.raises(QuotaExceededError) as refused:
        await chat.ask(carol, Question("And what else?"), streamed=False)
    with pytest.raises(QuotaExceededError):
        await limited.services.usage.assert_may_ask(carol)
    assert refused.value.details == {"limit": "tokens_per_day"}
    assert 0 < (refused.value.retry_after_seconds or 0) <= 86_400


async def test_a_day_lasts_until_midnight_utc() -> None:
    assert seconds_until_midnight(datetime(2026, 2, 28, 23, 59, 30, tzinfo=UTC)) == 30
    assert seconds_until_midnight(datetime(2026, 3, 1, tzinfo=UTC)) == 86_400


async def test_use_adds_up_by_day_and_nobody_sees_another_owners(uow: UnitOfWork, limited: Application, carol: UUID) -> None:
    dave = await registered(limited.services, "dave")
    today = now().date()
    yesterday = today - timedelta(days=1)

    async def note(owner: UUID, day_before: bool) -> None:
        async with uow.of(owner) as tx:
            await tx.usage.add(owner, yesterday if day_before else today, questions=1, prompt_tokens=10, completion_tokens=5)

    await asyncio.gather(*(note(owner, early) for owner in (carol, carol, dave) for early in (True, False)))

    async with uow.of(carol) as tx:
        assert [(d.day, d.questions, d.tokens) for d in await tx.usage.days(carol, yesterday)] == [
            (today, 2, 30),
            (yesterday, 2, 30),
        ]
        assert await tx.usage.days(dave, yesterday) == []
    async with uow.system() as tx:
        totals = await tx.usage.totals(yesterday)
    assert [(t.day, t.accounts, t.questions, t.prompt_tokens, t.completion_tokens) for t in totals] == [
        (today, 2, 3, 30, 15),
        (yesterday, 2, 3, 30, 15),
    ]


async def test_switched_off_nothing_is_refused_and_use_is_noted_all_the_same(
    application: ApplicationFactory, uow: UnitOfWork
) -> None:
    nothing = {"requests_per_minute": 0, "concurrent_streams": 0, "documents": 0, "stored_bytes": 0, "tokens_per_day": 0}
    await with_limits(uow, **nothing)
    async with application(settings={"limits_enabled": False}) as running:
        owner = await registered(running.services, "erin")
        assert await running.services.usage.count_request(owner, "free") is None
        async with running.services.usage.enter_stream(owner, "free"):
            await running.services.documents.upload(owner, a_file())
            await (await running.services.chat.ask(owner, Question("Anything?"), streamed=False)).answer()
        state = await running.services.usage.state(owner, "free")

    assert not state.enforced
    used = {limit.name: limit for limit in state.limits}
    assert (used["documents"].used, used["documents"].remaining, used["tokens_per_day"].used > 0) == (1, 0, True)


def test_production_refuses_to_run_without_limits() -> None:
    settings = Settings(
        _env_file=None,
        environment="production",
        secret_key="s" * 32,
        chat_provider="ollama",
        embedder="ollama",
        limits_enabled=False,
    )
    with pytest.raises(ConfigurationError, match="LIMITS_ENABLED"):
        settings.check()
    settings.model_copy(update={"limits_enabled": True}).check()


def test_an_address_of_redis_is_recognised() -> None:
    Settings(_env_file=None, redis_url="redis://:secret@redis:6379/0").check()
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        Settings(_env_file=None, redis_url="http://redis").check()
