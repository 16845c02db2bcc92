"""The contract of `VectorIndex`, kept by a real Chroma server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import pytest_asyncio

from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core.errors import ConfigurationError, VectorIndexBrokenError, VectorIndexUnavailableError
from backend.core.transactions import transaction_open
from backend.ports.embedder import Vector, Vectors
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


def axis(number: int, *, dimensions: int = 8) -> Vector:
    """The unit vector along one axis."""
    vector = np.zeros(dimensions, dtype=np.float32)
    vector[number] = 1
    return vector


def unit(rows: int, *, dimensions: int = 8) -> Vectors:
    vectors = np.random.default_rng(7).standard_normal((rows, dimensions))
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def test_it_is_a_vector_index(index: ChromaVectorIndex) -> None:
    port: VectorIndex = index
    assert port is index


async def test_the_nearest_come_first_with_their_cosines(index: ChromaVectorIndex, name: str) -> None:
    ids = [uuid4() for _ in range(3)]
    between = ((axis(0) + axis(1)) / np.sqrt(2)).astype(np.float32)
    await index.upsert(name, ids, np.stack([axis(1), axis(0), between]))

    found = await index.query(name, axis(0), 10)

    assert [neighbour.chunk_id for neighbour in found] == [ids[1], ids[2], ids[0]]
    assert [neighbour.similarity for neighbour in found] == pytest.approx([1.0, 0.7071, 0.0], abs=1e-3)
    assert [neighbour.chunk_id for neighbour in await index.query(name, axis(0), 1)] == [ids[1]]
    assert await index.query(name, axis(0), 0) == []


async def test_opposite_vectors_are_minus_one(index: ChromaVectorIndex, name: str) -> None:
    await index.upsert(name, [uuid4()], -axis(0)[np.newaxis])

    assert [neighbour.similarity for neighbour in await index.query(name, axis(0), 1)] == [-1.0]


async def test_an_upsert_replaces_and_does_not_add(index: ChromaVectorIndex, name: str) -> None:
    chunk_id = uuid4()
    await index.upsert(name, [chunk_id], axis(0)[np.newaxis])
    await index.upsert(name, [chunk_id], axis(1)[np.newaxis])

    assert await index.count(name) == 1
    assert (await index.query(name, axis(1), 1))[0].similarity == pytest.approx(1.0)


async def test_of_an_id_given_twice_the_last_vector_stays(index: ChromaVectorIndex, name: str) -> None:
    chunk_id = uuid4()
    await index.upsert(name, [chunk_id, chunk_id], np.stack([axis(0), axis(1)]))

    assert (await index.query(name, axis(1), 5))[0].similarity == pytest.approx(1.0)
    assert await index.count(name) == 1


async def test_more_than_one_batch_arrives_whole(index: ChromaVectorIndex, name: str) -> None:
    ids, vectors = [uuid4() for _ in range(1100)], unit(1100)
    await index.upsert(name, ids, vectors)

    assert await index.count(name) == 1100
    for row in (0, 999, 1000, 1099):
        assert (await index.query(name, vectors[row], 1))[0].chunk_id == ids[row]


async def test_nothing_to_upsert_makes_nothing(index: ChromaVectorIndex, name: str) -> None:
    await index.upsert(name, [], unit(0))

    assert await index.count(name) == 0


async def test_deleting_removes_the_named_and_ignores_the_unknown(index: ChromaVectorIndex, name: str) -> None:
    ids = [uuid4() for _ in range(1100)]
    await index.upsert(name, ids, unit(1100))

    await index.delete(name, [*ids[:1090], uuid4()])
    await index.delete(name, [])

    assert await index.count(name) == 10
    assert {neighbour.chunk_id for neighbour in await index.query(name, axis(0), 300)} == set(ids[1090:])


async def test_a_missing_collection_is_empty_and_stays_missing(index: ChromaVectorIndex, name: str) -> None:
    assert await index.query(name, axis(0), 5) == []
    assert await index.count(name) == 0
    await index.delete(name, [uuid4()])
    await index.drop(name)


async def test_a_dropped_collection_is_gone_and_can_be_made_again(index: ChromaVectorIndex, name: str) -> None:
    await index.upsert(name, [uuid4()], axis(0)[np.newaxis])
    await index.drop(name)

    assert await index.query(name, axis(0), 5) == []
    again = uuid4()
    await index.upsert(name, [again], axis(0, dimensions=5)[np.newaxis])
    assert [neighbour.chunk_id for neighbour in await index.query(name, axis(0, dimensions=5), 5)] == [again]


async def test_a_collection_that_another_process_dropped_or_remade_heals(
    server: ChromaServer, index: ChromaVectorIndex, name: str
) -> None:
    other, first, second = ChromaVectorIndex(server.url), uuid4(), uuid4()
    await index.upsert(name, [first], axis(0)[np.newaxis])
    await other.drop(name)
    assert await index.count(name) == 0
    assert await index.query(name, axis(0), 5) == []

    await index.upsert(name, [first], axis(0)[np.newaxis])
    await other.drop(name)
    await other.upsert(name, [second], axis(1)[np.newaxis])
    assert [neighbour.chunk_id for neighbour in await index.query(name, axis(0), 5)] == [second]
    await index.upsert(name, [first], axis(0)[np.newaxis])
    assert await other.count(name) == 2


async def test_other_dimensions_are_a_broken_collection(index: ChromaVectorIndex, name: str) -> None:
    await index.upsert(name, [uuid4()], axis(0)[np.newaxis])

    with pytest.raises(VectorIndexBrokenError):
        await index.query(name, axis(0, dimensions=5), 1)
    with pytest.raises(VectorIndexBrokenError):
        await index.upsert(name, [uuid4()], axis(0, dimensions=5)[np.newaxis])


async def test_another_space_is_a_broken_collection(server: ChromaServer, index: ChromaVectorIndex, name: str) -> None:
    import chromadb
    from chromadb.config import Settings

    client = await chromadb.AsyncHttpClient(
        host="127.0.0.1", port=server.port, settings=Settings(_env_file=None, anonymized_telemetry=False)
    )
    await client.create_collection(name, configuration={"hnsw": {"space": "l2"}}, embedding_function=None)

    with pytest.raises(VectorIndexBrokenError):
        await index.upsert(name, [uuid4()], axis(0)[np.newaxis])
    with pytest.raises(VectorIndexBrokenError):
        await index.query(name, axis(0), 1)
    await index.drop(name)
    await index.upsert(name, [uuid4()], axis(0)[np.newaxis])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
async def test_a_vector_that_is_not_finite_is_a_defect_of_the_caller(index: ChromaVectorIndex, name: str, bad: float) -> None:
    vector = np.full(8, bad, dtype=np.float32)

    with pytest.raises(ValueError, match="NaN"):
        await index.upsert(name, [uuid4()], vector[np.newaxis])
    with pytest.raises(ValueError, match="NaN"):
        await index.query(name, vector, 1)


async def test_it_refuses_to_work_inside_a_transaction(index: ChromaVectorIndex, name: str) -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(RuntimeError, match="open transaction"):
            await index.query(name, axis(0), 1)
        with pytest.raises(RuntimeError, match="open transaction"):
            await index.upsert(name, [uuid4()], axis(0)[np.newaxis])
    finally:
        transaction_open.reset(token)


async def test_a_killed_server_is_unavailable_and_used_again_when_it_is_back(tmp_path: Path, name: str) -> None:
    async with running_chroma(tmp_path) as server:
        index, chunk_id = ChromaVectorIndex(server.url), uuid4()
        await index.upsert(name, [chunk_id], axis(0)[np.newaxis])

        await server.kill()
        for call in (index.query(name, axis(0), 1), index.count(name), index.check(), index.drop(name)):
            with pytest.raises(VectorIndexUnavailableError):
                await call
        with pytest.raises(VectorIndexUnavailableError):
            await index.upsert(name, [uuid4()], axis(1)[np.newaxis])

        await server.start()
        assert [neighbour.chunk_id for neighbour in await index.query(name, axis(0), 1)] == [chunk_id]
        await index.aclose()


async def test_a_lost_segment_file_is_a_broken_collection_and_a_drop_repairs_it(tmp_path: Path, name: str) -> None:
    async with running_chroma(tmp_path) as server:
        index = ChromaVectorIndex(server.url)
        await index.upsert(name, [uuid4() for _ in range(2560)], unit(2560))
        assert len(await index.query(name, axis(0), 1)) == 1

        await server.kill()
        (header,) = server.store.glob("*/header.bin")
        header.unlink()
        await server.start()

        with pytest.raises(VectorIndexBrokenError):
            await index.query(name, axis(0), 1)
        await index.drop(name)
        await index.upsert(name, [uuid4()], axis(0)[np.newaxis])
        assert len(await index.query(name, axis(0), 1)) == 1
        await index.aclose()


async def test_a_server_that_is_not_there_is_not_waited_for(name: str) -> None:
    absent = ChromaVectorIndex(f"http://127.0.0.1:{free_port()}", connect_seconds=600, query_seconds=600)
    for asking in (absent.check(), absent.query(name, axis(0), 1)):
        with pytest.raises(VectorIndexUnavailableError):
            async with asyncio.timeout(30):
                await asking


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError):
        ChromaVectorIndex(url)
