"""The contract of `VectorIndex`, kept by two real Chroma servers together, and what is theirs alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import pytest_asyncio

from backend.adapters.vector_indexes.chroma import ChromaVectorIndex, ShardedChromaVectorIndex
from backend.core.errors import ConfigurationError, VectorIndexUnavailableError
from backend.ports.vector_index import VectorIndex
from tests.contracts.test_chroma_contents import (  # noqa: F401 - the same contract, with the index of this module
    test_a_collection_that_is_not_there_has_no_ids_and_no_vectors,
    test_all_ids_come_in_pages_and_each_once,
    test_it_refuses_to_read_inside_a_transaction,
    test_the_stored_vectors_come_back_but_for_their_last_digit,
)
from tests.contracts.test_chroma_vector_index import (  # noqa: F401
    axis,
    test_a_dropped_collection_is_gone_and_can_be_made_again,
    test_a_missing_collection_is_empty_and_stays_missing,
    test_a_vector_that_is_not_finite_is_a_defect_of_the_caller,
    test_an_upsert_replaces_and_does_not_add,
    test_deleting_removes_the_named_and_ignores_the_unknown,
    test_it_refuses_to_work_inside_a_transaction,
    test_more_than_one_batch_arrives_whole,
    test_nothing_to_upsert_makes_nothing,
    test_of_an_id_given_twice_the_last_vector_stays,
    test_opposite_vectors_are_minus_one,
    test_other_dimensions_are_a_broken_collection,
    test_the_nearest_come_first_with_their_cosines,
)
from tests.support.chroma import ChromaServer, running_chroma

NAMES = [f"docent-{number:04}" for number in range(24)]


@pytest_asyncio.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[ChromaServer, ChromaServer]]:
    async with running_chroma(tmp_path_factory.mktemp("one")) as one, running_chroma(tmp_path_factory.mktemp("two")) as two:
        yield one, two


@pytest_asyncio.fixture(scope="module")
async def index(servers: tuple[ChromaServer, ChromaServer]) -> AsyncIterator[ShardedChromaVectorIndex]:
    adapter = ShardedChromaVectorIndex([one.url for one in servers])
    await adapter.check()
    yield adapter
    await adapter.aclose()


async def held(server: ChromaServer) -> set[str]:
    """Return what a server holds."""
    alone = ChromaVectorIndex(server.url)
    names = set(await alone.collections())
    await alone.aclose()
    return names


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex}"


def homes(*urls: str) -> dict[str, str]:
    """Return where collections live, by their names; nobody is asked."""
    sharded = ShardedChromaVectorIndex(urls)
    places = dict(zip(map(id, sharded.servers), urls, strict=True))
    return {name: places[id(sharded._home(name))] for name in (f"docent-{number}" for number in range(3000))}


def test_it_is_a_vector_index(index: ShardedChromaVectorIndex) -> None:
    port: VectorIndex = index
    assert port is index


def test_another_server_takes_its_share_from_all_and_nothing_else_moves() -> None:
    before = homes("http://a:1", "http://b:1", "http://c:1")
    after = homes("http://d:1", "http://c:1", "http://b:1", "http://a:1")

    moved = {name for name in before if before[name] != after[name]}
    assert {after[name] for name in moved} == {"http://d:1"}
    for server in ("http://a:1", "http://b:1", "http://c:1"):
        assert sum(home == server for home in before.values()) == pytest.approx(1000, rel=0.15)
        assert sum(before[name] == server for name in moved) == pytest.approx(250, rel=0.25)


async def test_each_server_holds_its_own_and_their_order_does_not_matter(servers: tuple[ChromaServer, ChromaServer]) -> None:
    one, two = servers
    there, back = ShardedChromaVectorIndex([one.url, two.url]), ShardedChromaVectorIndex([two.url, one.url])
    for name in NAMES:
        await there.upsert(name, [uuid4()], axis(0)[np.newaxis])

    shares = [await held(server) & set(NAMES) for server in servers]

    assert all(shares)
    assert (shares[0] | shares[1], shares[0] & shares[1]) == (set(NAMES), set())
    assert [await back.count(name) for name in NAMES] == [1] * len(NAMES)
    assert set(NAMES) <= set(await back.collections())
    assert await there.strays() == []
    for name in NAMES:
        await back.drop(name)
    assert not set(NAMES) & set(await there.collections())
    await there.aclose()
    await back.aclose()


async def test_what_has_moved_to_a_new_server_is_missing_there_and_its_old_copies_are_strays(
    servers: tuple[ChromaServer, ChromaServer],
) -> None:
    one, two = servers
    alone, both = ChromaVectorIndex(one.url), ShardedChromaVectorIndex([one.url, two.url])
    for name in NAMES:
        await alone.upsert(name, [uuid4()], axis(0)[np.newaxis])

    moved = set(await both.strays())

    assert 0 < len(moved) < len(NAMES)
    for name in NAMES:
        assert len(await both.query(name, axis(0), 1)) == (name not in moved)
    first, second = sorted(moved)[:2]
    await both.upsert(first, [uuid4()], axis(0)[np.newaxis])
    await both.drop_strays(first)
    await both.drop(second)
    assert (await both.count(first), first in await held(one), second in await held(one)) == (1, False, False)
    assert set(await both.strays()) == moved - {first, second}
    await both.drop_strays(min(set(NAMES) - moved))
    assert await both.count(min(set(NAMES) - moved)) == 1
    for name in NAMES:
        await both.drop(name)
    await alone.aclose()
    await both.aclose()


async def test_a_server_that_is_down_takes_its_own_collections_with_it_and_no_other(tmp_path: Path) -> None:
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
    async with running_chroma(tmp_path / "one") as one, running_chroma(tmp_path / "two") as two:
        index = ShardedChromaVectorIndex([one.url, two.url])
        for name in NAMES:
            await index.upsert(name, [uuid4()], axis(0)[np.newaxis])
        lost = await held(two)

        await two.kill()

        for name in NAMES:
            if name in lost:
                with pytest.raises(VectorIndexUnavailableError):
                    await index.query(name, axis(0), 1)
            else:
                assert len(await index.query(name, axis(0), 1)) == 1
        # What concerns everything is not told by halves.
        for call in (index.check(), index.collections(), index.strays(), index.drop(NAMES[0])):
            with pytest.raises(VectorIndexUnavailableError):
                await call
        await index.aclose()


def test_a_server_that_is_named_twice_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        ShardedChromaVectorIndex(["http://host:1", "http://HOST:1/"])
