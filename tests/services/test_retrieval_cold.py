"""A collection that the index has to load first keeps nobody waiting, and does not pile up there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import numpy as np
import pytest
from structlog.testing import capture_logs

from backend.core.errors import VectorIndexUnavailableError
from backend.ports.embedder import Vector
from backend.ports.vector_index import Neighbour
from backend.services.embedders import Embedders
from backend.services.retrieval import Retriever
from backend.services.retrieval.asking import IndexQueries
from backend.services.retrieval.legs import LateError
from tests.support.cluster import Cluster
from tests.support.parts import SwitchableIndex
from tests.support.workshop import Workshop, open_workshop

OWLS = "Owls hunt mice at night and swallow them whole."
QUESTION = "owlhunts nightmice swallowed"
"""No word in common, so only the search by meaning can find it."""
LATER = 60.0


class LoadingIndex(SwitchableIndex):
    """Counts the searches that it is asked for, and answers none of them until it is let go."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked = 0
        self.loaded = asyncio.Event()

    async def query(self, collection: str, vector: Vector, limit: int) -> list[Neighbour]:
        """See ``VectorIndex.query``."""
        self.asked += 1
        await self.loaded.wait()
        return await super().query(collection, vector, limit)


@pytest.fixture
async def workshop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    async with cluster.database() as database, open_workshop(cluster, database, tmp_path_factory.mktemp("cold")) as opened:
        yield opened


def retriever(workshop: Workshop, index: SwitchableIndex, **chosen: int) -> Retriever:
    return Retriever(workshop.uow, index, Embedders({workshop.embedder.identity: workshop.embedder}.__getitem__), **chosen)  # type: ignore[arg-type] # `exact_chunks` alone


async def found_by(one: Retriever, owner: UUID) -> tuple[list[str], tuple[str, ...]]:
    found = await one.retrieve(owner, QUESTION, within=None)
    return [passage.text for passage in found.passages], found.degraded


async def test_few_passages_are_searched_exactly_and_the_index_is_not_asked(cluster: Cluster, workshop: Workshop) -> None:
    owner, index = await workshop.user(), LoadingIndex(cluster.chroma_url)
    await workshop.indexed(owner, OWLS)

    assert await found_by(retriever(workshop, index), owner) == ([OWLS], ())
    assert index.asked == 0
    await index.aclose()


async def test_a_collection_that_is_being_loaded_is_answered_exactly_and_is_ready_later(
    cluster: Cluster, workshop: Workshop
) -> None:
    owner, index = await workshop.user(), LoadingIndex(cluster.chroma_url)
    await workshop.indexed(owner, OWLS)
    one = retriever(workshop, index, exact_chunks=0)

    with capture_logs() as logs:
        for _ in range(3):
            assert await found_by(one, owner) == ([OWLS], ()), "nothing is degraded"
    assert [entry["code"] for entry in logs if entry["event"] == "vector_index_passed_over"] == ["late", "loading", "loading"]
    assert index.asked == 1, "it is not asked again for what it is loading"

    index.loaded.set()
    async with asyncio.timeout(LATER):
        while True:
            with capture_logs() as logs:
                assert await found_by(one, owner) == ([OWLS], ())
            if not logs:
                break  # The index has answered, in time.
    await index.aclose()


class HeldIndex:
    """Answers nothing until it is let go, and then that it is away."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.loaded = asyncio.Event()

    async def query(self, collection: str, vector: Vector, limit: int) -> list[Neighbour]:
        """See ``VectorIndex.query``."""
        self.running += 1
        self.most = max(self.most, self.running)
        await self.loaded.wait()
        self.running -= 1
        raise VectorIndexUnavailableError(f"{collection} {vector.size} {limit}")


async def test_many_cold_questions_at_once_do_not_pile_up_in_the_index() -> None:
    index, vectors = HeldIndex(), [np.ones(2, dtype=np.float32)]
    queries = IndexQueries(index, most_at_once=4)  # type: ignore[arg-type] # it is asked for neighbours only
    loop = asyncio.get_running_loop()

    async def ask(names: Sequence[str], seconds: float) -> list[BaseException | list[list[Neighbour]]]:
        asked = (queries.nearest(name, vectors, 9, until=loop.time() + seconds) for name in names)
        return await asyncio.gather(*asked, return_exceptions=True)

    names = [f"docent-{number}" for number in range(40)]
    assert {type(outcome) for outcome in await ask(names, 0.1)} == {LateError}
    assert (index.running, index.most, len(queries.loading)) == (4, 4, 4)

    index.loaded.set()
    outcomes = await ask(names, LATER)
    assert {type(outcome) for outcome in outcomes} == {VectorIndexUnavailableError}, "every place was given back"
    assert (index.running, index.most, queries.loading) == (0, 4, set())
