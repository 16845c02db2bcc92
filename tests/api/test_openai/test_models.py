"""Models and embeddings in this process: what a running product would have to be broken or slow for."""

import asyncio
from collections.abc import Sequence

import asyncpg
import openai
import pytest

from backend.adapters.chat_models.scripted import ScriptedChatModel
from backend.adapters.embedders.hashing import HashingEmbedder
from backend.core.config import plain_url
from backend.core.errors import EmbedderUnavailableError, ModelUnavailableError
from backend.ports.embedder import Vectors
from tests.api.test_openai.test_errors import told
from tests.api.test_openai.test_in_process import Door, door
from tests.conftest import ApplicationFactory
from tests.support.cluster import Database

EMBEDDER = HashingEmbedder.identity


async def limit(database: Database, change: str) -> None:
    connection = await asyncpg.connect(plain_url(database.owner_url))
    await connection.execute(f"update tiers set {change} where name = 'free'")  # noqa: S608 - the test's own
    await connection.close()


async def listed(opened: Door) -> list[str]:
    return [model.id async for model in opened.client.models.list()]


async def test_a_provider_that_is_down_is_a_503(application: ApplicationFactory) -> None:
    model = ScriptedChatModel(writes=True)
    model.down = ModelUnavailableError()
    async with door(application, model) as opened:
        with pytest.raises(openai.InternalServerError) as refused:
            await opened.client.models.list()

    assert (refused.value.status_code, refused.value.code) == (503, "model_unavailable")


async def test_who_may_use_nothing_that_is_there_is_told_so_and_not_that_it_is_down(
    application: ApplicationFactory, database: Database
) -> None:
    await limit(database, "models = array['other']")
    async with door(application, ScriptedChatModel(writes=True)) as opened:
        assert await listed(opened) == [EMBEDDER]
        with pytest.raises(openai.NotFoundError):
            await opened.client.models.retrieve("docent/scripted")


async def test_a_model_is_found_by_every_name_that_completions_know(application: ApplicationFactory) -> None:
    async with door(application, ScriptedChatModel(default_model="llama3:latest", writes=True)) as opened:
        assert await listed(opened) == ["docent", "docent/llama3:latest", "llama3:latest", EMBEDDER]
        retrieve = opened.client.models.retrieve
        for name in ("llama3", "llama3:latest", "scripted/llama3", "scripted/llama3:latest"):
            assert (await retrieve(name)).id == "llama3:latest"
            assert (await retrieve(f"docent/{name}")).id == "docent/llama3:latest"
        for name in (EMBEDDER, "hashing", "v1-512"):
            assert (await retrieve(name)).id == EMBEDDER


class Halting(HashingEmbedder):
    """Embeds one text at a time, and stops behind the first: it waits, or fails."""

    batch_size = 1

    def __init__(self) -> None:
        self.fails = False
        self.waiting, self.left = asyncio.Event(), asyncio.Event()

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if texts[0] == "first":
            return await super().embed_documents(texts)
        if self.fails:
            raise EmbedderUnavailableError
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        raise AssertionError


async def test_embeddings_are_answers_that_run_end_with_their_client_and_cost_what_came_back(
    application: ApplicationFactory, database: Database
) -> None:
    await limit(database, "concurrent_streams = 1")
    embedder = Halting()
    async with door(application, ScriptedChatModel(), embedder=embedder, limits_enabled=True) as opened:
        embed = opened.client.embeddings.create

        async def limits() -> dict[str, int]:
            state = await opened.services.usage.state(opened.owner_id, "free")
            return {each.name: each.used for each in state.limits}

        running = asyncio.create_task(embed(model="docent", input=["first", "second", "third"]))
        await asyncio.wait_for(embedder.waiting.wait(), 30)
        with pytest.raises(openai.RateLimitError) as busy:
            await embed(model="docent", input="first")
        assert told(busy.value) == ("rate_limit_error", "rate_limited", None)
        running.cancel()
        await asyncio.wait_for(embedder.left.wait(), 30)
        async with asyncio.timeout(30):
            while (await limits())["concurrent_streams"]:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        spent = (await limits())["tokens_per_day"]
        assert spent > 0

        embedder.fails = True
        with pytest.raises(openai.InternalServerError) as down:
            await embed(model="docent", input=["first", "second"])
        assert down.value.status_code == 503
        assert (await limits())["tokens_per_day"] == 2 * spent
