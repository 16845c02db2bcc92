"""Another Chroma server: what moves to it is found missing and rebuilt there, and nothing stays behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest_asyncio

from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.bootstrap.application import Replacements, open_application
from backend.core.values.defect import Compared, Defect
from backend.db.engine import make_engine
from backend.db.repositories.generations import Generation
from backend.db.uow import UnitOfWork
from backend.services.registry import Services
from tests.support.chroma import ChromaServer, running_chroma
from tests.support.cluster import Cluster, Database
from tests.support.files import a_file
from tests.support.parts import PlainTextParser


@pytest_asyncio.fixture
async def servers(tmp_path: Path) -> AsyncIterator[tuple[ChromaServer, ChromaServer]]:
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
    async with running_chroma(tmp_path / "one") as one, running_chroma(tmp_path / "two") as two:
        yield one, two


@asynccontextmanager
async def product(cluster: Cluster, database: Database, folder: Path, *servers: ChromaServer) -> AsyncIterator[Services]:
    chosen = cluster.settings(database, folder, chroma_url=", ".join(one.url for one in servers))
    async with open_application(chosen, replacing=Replacements(parser=PlainTextParser())) as running:
        running.services.consistency.pause_seconds = 0.0
        yield running.services


async def somebody_with_a_document(services: Services, number: int) -> UUID:
    user = await services.accounts.register(
        username=f"owner{number}", email=f"owner{number}@example.com", password="correct horse", full_name=None
    )
    document = await services.documents.upload(user.id, a_file("notes.txt", b"Blue whales eat krill."))
    await services.documents.index(user.id, document.id)
    return user.id


async def defects(services: Services) -> list[Defect]:
    return [defect async for defect in services.consistency.check(Compared())]


async def test_what_moves_to_another_server_is_rebuilt_there_and_copies_that_stay_behind_are_swept(
    cluster: Cluster, database: Database, tmp_path: Path, servers: tuple[ChromaServer, ChromaServer]
) -> None:
    one, two = servers
    uow, alone = UnitOfWork(make_engine(database.app_url, pool_size=1)), [ChromaVectorIndex(each.url) for each in servers]

    async def generations() -> list[Generation]:
        async with uow.system() as tx:
            return await tx.generations.all(state="ready")

    async with product(cluster, database, tmp_path, one) as services:
        for number in range(12):
            await somebody_with_a_document(services, number)
    before = await generations()

    async with product(cluster, database, tmp_path, one, two) as services:
        status = {check.name: check.status for check in await services.status.needed()}
        assert (status["chroma-1"], status["chroma-2"]) == ("up", "up")
        for generation in before:
            found = await services.search.search(generation.owner_id, "krill", document_ids=None, limit=1)
            assert (len(found.hits), found.degraded) == (1, ()), "what is missing is searched exactly"

        moved = {defect.subject for defect in await defects(services) if defect.kind == "collection_missing"}
        assert 0 < len(moved) < len(before)
        assert await services.reindexing.verify_index()
        for generation in before:
            if generation.collection in moved:
                await services.reindexing.rebuild_collection(generation.owner_id, generation.id)
                await services.reindexing.drop_collection(generation.collection)
        assert await defects(services) == []
        assert sum([len(await each.collections()) for each in alone]) == len(before), "where each is now is its name's to say"

        generation = (await generations())[0]
        (elsewhere,) = [each for each in alone if not await each.count(generation.collection)]
        await elsewhere.upsert(generation.collection, [generation.id], np.ones((1, generation.dimensions), dtype=np.float32))
        (orphan,) = await defects(services)
        assert (orphan.kind, orphan.subject) == ("collection_orphan", generation.collection)
        await services.reindexing.drop_collection(orphan.subject)  # as `--repair` does
        assert await defects(services) == []
        assert [await each.count(generation.collection) for each in alone if each is not elsewhere] == [1]

        await two.kill()
        assert {check.name: check.status for check in await services.status.needed()}["chroma-1"] == "up"
    await uow.aclose()
    for each in alone:
        await each.aclose()
