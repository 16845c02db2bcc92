"""The list of models: what is asked, how often, and what a provider that is away costs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.core.errors import ModelNotAllowedError, ModelUnavailableError
from backend.core.values.assist import CodeWanted, HowToWrite
from backend.core.values.chat import Question
from backend.db.engine import make_engine
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ModelDetails, Prompt
from backend.ports.chat_model import Turn as PromptTurn
from backend.services import catalog as catalog_module
from backend.services.catalog import CatalogService
from backend.services.generating.reply import Wanted
from backend.services.providers import Providers
from backend.services.registry import Services
from tests.support.cluster import Database


class Counted(ScriptedChatModel):
    """Counts how often it was asked for its models."""

    listings = 0

    async def models(self) -> Sequence[ModelDetails]:
        self.listings += 1
        await asyncio.sleep(0)
        return await super().models()


@pytest.fixture
async def limited(services: Services, alice: UUID, uow: UnitOfWork) -> AsyncIterator[UUID]:
    """A user whose tier, which nobody else has here, may name one model."""
    async with uow.system() as tx:
        await tx.tiers.update("enterprise", models=["extractive"])
        await tx.users.update(alice, tier="enterprise")
    yield alice
    async with uow.system() as tx:
        await tx.tiers.update("enterprise", models=None)


async def test_what_is_generated_and_asked_keeps_to_the_tiers_list(services: Services, limited: UUID) -> None:
    prompt = Prompt((PromptTurn("user", "Hello"),), "Hello")
    for model in ("other", "openai/gpt-4o", "extractive/other"):
        with pytest.raises(ModelNotAllowedError, match="extractive"):
            await services.generating.begin(Wanted(limited, prompt, model))
        with pytest.raises(ModelNotAllowedError):
            await services.chat.ask(limited, Question("Hello", model=model), streamed=False)
        with pytest.raises(ModelNotAllowedError):
            await services.assist.complete(limited, CodeWanted("def depth():", "", None, None, HowToWrite(model=model)))
    for spelled in (None, "extractive", "extractive/extractive"):
        assert (await (await services.generating.begin(Wanted(limited, prompt, spelled))).whole()).model == "extractive"
    assert (await services.sessions.page(limited, limit=9, after=None)).items == []


@pytest.fixture
async def uow(shared_database: Database) -> AsyncIterator[UnitOfWork]:
    opened = UnitOfWork(make_engine(shared_database.app_url, pool_size=8))
    yield opened
    await opened.aclose()


async def test_many_who_want_the_list_ask_once_and_hear_of_who_is_away(uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1000.0
    monkeypatch.setattr(catalog_module, "monotonic", lambda: at)
    first, away = Counted(), Counted(provider="away")
    away.down = ModelUnavailableError()
    catalog = CatalogService(uow, Providers(first, [away]), kept_seconds=10)

    found = await asyncio.gather(*(catalog.catalog("free") for _ in range(8)))

    assert len({(tuple(model.id for model in each.models), each.unavailable) for each in found}) == 1
    assert ([model.id for model in found[0].models], found[0].unavailable) == (["scripted"], ("away",))
    assert (found[0].models[0].default, found[0].models[0].provider) == (True, "scripted")
    assert (first.listings, away.listings) == (1, 1)
    away.down = None
    at += 11
    assert [model.id for model in await catalog.models("free")] == ["scripted", "away/scripted"]
    assert (first.listings, away.listings) == (2, 2)


class Embedding(ScriptedChatModel):
    """What is set up to answer embeds, and nothing else."""

    async def details(self, model: str) -> ModelDetails:
        return replace(await super().details(model), capabilities=frozenset({"embedding"}))


async def test_what_only_embeds_is_no_default(uow: UnitOfWork) -> None:
    [model] = await CatalogService(uow, Providers(Embedding())).models("free")

    assert (model.id, model.default) == ("scripted", False)
