"""Reading back what a real Chroma server holds, to compare it with PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import pytest_asyncio

from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core.errors import VectorIndexBrokenError, VectorIndexUnavailableError
from backend.core.transactions import transaction_open
from backend.ports.embedder import Vectors
from backend.ports.vector_index import VectorIndex
from tests.support.chroma import ChromaServer, free_port, running_chroma


@pytest_asyncio.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ChromaServer]:
    async with running_chroma(tmp_path_factory.mktemp("chroma")) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def index(server: ChromaServer) -> AsyncIterator[ChromaVectorIndex]:
    adapter = ChromaVectorIndex(server.url)
    await adapter.check()
    yield adapter
    await adapter.aclose()


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex}"


def unit(rows: int, *, dimensions: int = 8) -> Vectors:
    vectors = np.random.default_rng(7).standard_normal((rows, dimensions))
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


async def all_ids(index: VectorIndex, name: str) -> list[UUID | str]:
    return [one async for page in index.ids(name) for one in page]


async def test_every_collection_is_listed_whoever_made_it(index: ChromaVectorIndex, server: ChromaServer, name: str) -> None:
    before = await index.collections()
    await index.upsert(name, [uuid4()], unit(1))
    await index.upsert(f"docent-{name}", [uuid4()], unit(1))

    listed = await index.collections()

    assert sorted(listed) == sorted([*before, name, f"docent-{name}"])
    await index.drop(name)
    assert name not in await index.collections()


async def test_more_collections_than_one_page_are_all_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.adapters.vector_indexes.chroma.index._PAGE", 10)
    async with running_chroma(tmp_path) as server:
        index = ChromaVectorIndex(server.url)
        assert await index.collections() == []
        client = await index._connection._connected()
        names = [f"docent-{number:04}" for number in range(31)]
        for made in names:
            await client.create_collection(made, embedding_function=None)

        assert sorted(await index.collections()) == names
        await index.aclose()


async def test_all_ids_come_in_pages_and_each_once(index: ChromaVectorIndex, name: str) -> None:
    ids = [uuid4() for _ in range(2300)]
    await index.upsert(name, ids, unit(2300))

    pages = [page async for page in index.ids(name)]

    assert max(map(len, pages)) <= 1000
    assert sorted(one for page in pages for one in page if isinstance(one, UUID)) == sorted(ids)
    assert sum(map(len, pages)) == 2300


async def test_what_is_stored_under_a_name_that_is_no_id_is_told_by_that_name(
    index: ChromaVectorIndex, server: ChromaServer, name: str
) -> None:
    chunk_id = uuid4()
    await index.upsert(name, [chunk_id], unit(1))
    collection = await (await index._connection._connected()).get_collection(name, embedding_function=None)
    strange = ["not an id", chunk_id.hex, str(uuid4()).upper()]
    await collection.upsert(ids=strange, embeddings=unit(3))

    assert set(await all_ids(index, name)) == {chunk_id, *strange}


async def test_the_stored_vectors_come_back_but_for_their_last_digit(index: ChromaVectorIndex, name: str) -> None:
    ids, vectors = [uuid4() for _ in range(1100)], unit(1100)
    await index.upsert(name, ids, vectors)
    await index.delete(name, ids[:1])

    fetched = await index.fetch(name, [*ids, uuid4(), ids[5]])

    assert set(fetched) == set(ids[1:])
    assert all(fetched[chunk_id].dtype == np.float32 for chunk_id in fetched)
    assert np.abs(np.stack([fetched[chunk_id] for chunk_id in ids[1:]]) - vectors[1:]).max() < 1e-6


async def test_a_collection_that_is_not_there_has_no_ids_and_no_vectors(index: ChromaVectorIndex, name: str) -> None:
    assert await all_ids(index, name) == []
    assert await index.fetch(name, [uuid4()]) == {}
    assert await index.fetch(name, []) == {}


async def test_a_server_that_is_not_there_is_unavailable(name: str) -> None:
    absent = ChromaVectorIndex(f"http://127.0.0.1:{free_port()}")

    with pytest.raises(VectorIndexUnavailableError):
        await absent.collections()
    with pytest.raises(VectorIndexUnavailableError):
        await all_ids(absent, name)
    with pytest.raises(VectorIndexUnavailableError):
        await absent.fetch(name, [uuid4()])


async def test_a_segment_that_lost_a_file_is_a_broken_collection_and_is_listed(tmp_path: Path, name: str) -> None:
    async with running_chroma(tmp_path) as server:
        index, ids = ChromaVectorIndex(server.url), [uuid4() for _ in range(2560)]
        await index.upsert(name, ids, unit(2560))
        await server.kill()
        (header,) = server.store.glob("*/header.bin")
        header.unlink()
        await server.start()

        with pytest.raises(VectorIndexBrokenError):
            await index.fetch(name, ids[:1])
        with pytest.raises(VectorIndexBrokenError):
            await all_ids(index, name)
        assert await index.collections() == [name]
        await index.aclose()


async def test_it_refuses_to_read_inside_a_transaction(index: ChromaVectorIndex, name: str) -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="open transaction"):
            await index.collections()
        with pytest.raises(RuntimeError, match="open transaction"):
            await all_ids(index, name)
        with pytest.raises(RuntimeError, match="open transaction"):
            await index.fetch(name, [uuid4()])
    finally:
        transaction_open.reset(token)
