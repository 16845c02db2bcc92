"""The embedded Chroma whose store is damaged while it does not run, or when it is killed: it comes back empty, and says so."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from backend.adapters.servers.chroma_store import ChromaStore, IndexLoss
from backend.adapters.servers.supervisor import Servers, open_servers
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from backend.core.errors import ConfigurationError, VectorIndexUnavailableError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

PATIENCE_SECONDS = 30.0


def index_of(servers: Servers) -> ChromaVectorIndex:
    assert servers.chroma_url is not None
    return ChromaVectorIndex(servers.chroma_url)


def store_of(servers: Servers) -> ChromaStore:
    assert servers.chroma_store is not None
    return servers.chroma_store


def chroma_server(folder: Path) -> int:
    """The process of the server itself, not of its watcher."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder / "chroma.yaml").encode() in command and b"watcher.py" not in command:
            return int(process.name)
    raise AssertionError("no server is running")


async def soon(attempt: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await attempt()
            except VectorIndexUnavailableError:
                await asyncio.sleep(0.05)


async def fill(index: ChromaVectorIndex, rows: int) -> None:
    await index.upsert("docent-a", [uuid4() for _ in range(rows)], np.random.default_rng(7).random((rows, 8), dtype=np.float32))


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true in time")


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def told(store: ChromaStore) -> IndexLoss:
    loss = store.loss()
    assert loss is not None
    return loss


async def test_a_store_that_was_damaged_between_two_runs_is_empty_in_the_second_and_filled_again(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
        index, store = index_of(servers), store_of(servers)
        await soon(index.check)
        store.acknowledge(told(store))
        await fill(index, 1200)
        await index.aclose()
    async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
        index = index_of(servers)
        await soon(index.check)
        assert store_of(servers).loss() is None
        assert await index.count("docent-a") == 1200
        await index.aclose()

    (links,) = (tmp_path / "chroma").glob("*/link_lists.bin")
    os.truncate(links, 1 << 42)

    for _ in range(2):  # Nobody took note of it in the first of them, which might have been killed.
        async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
            index = index_of(servers)
            await soon(index.check)
            assert "link_lists.bin" in told(store_of(servers)).reason
            assert await index.collections() in ([], ["docent-a"])
            await fill(index, 10)
            await index.aclose()
    assert len(list((tmp_path / "chroma").glob("quarantine-*/*/link_lists.bin"))) == 1


async def test_a_store_that_breaks_when_its_server_is_killed_is_found_before_the_restart(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
        index, store = index_of(servers), store_of(servers)
        await soon(index.check)
        await fill(index, 1200)
        first = told(store)

        (data,) = (tmp_path / "chroma").glob("*/data_level0.bin")
        os.truncate(data, data.stat().st_size // 2)
        os.kill(chroma_server(tmp_path), signal.SIGKILL)

        await until(lambda: store.loss() != first)
        second = told(store)
        assert data.parent.name in second.reason
        await soon(index.check)
        assert await index.count("docent-a") == 0
        await fill(index, 10)
        assert await index.count("docent-a") == 10
        store.acknowledge(first)
        assert store.loss() == second
        store.acknowledge(second)

        os.kill(chroma_server(tmp_path), signal.SIGKILL)
        await asyncio.sleep(0.5)
        await soon(index.check)
        assert store.loss() is None
        assert await index.count("docent-a") == 10
        await index.aclose()


async def test_after_the_watcher_was_killed_the_store_is_examined_once_the_server_is_down(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
        index, store = index_of(servers), store_of(servers)
        await soon(index.check)
        store.acknowledge(told(store))
        await fill(index, 1200)
        old = chroma_server(tmp_path)
        os.kill(parent_of(old), signal.SIGKILL)
        await until(lambda: not is_running(old))
        await soon(index.check)
        assert await index.count("docent-a") == 1200
        assert store.loss() is None
        await index.aclose()


async def test_a_store_that_was_removed_while_the_server_ran_is_a_loss_at_its_restart(tmp_path: Path) -> None:
    async with open_servers(tmp_path, postgres=False, chroma=True) as servers:
        index, store = index_of(servers), store_of(servers)
        await soon(index.check)
        store.acknowledge(told(store))
        shutil.rmtree(store.path)
        os.kill(chroma_server(tmp_path), signal.SIGKILL)

        await until(lambda: store.loss() is not None)
        assert told(store).reason == "its content is missing"
        await soon(index.check)
        await index.aclose()


async def test_a_store_that_cannot_be_used_at_the_start_is_told_to_the_operator(tmp_path: Path) -> None:
    (tmp_path / "chroma").write_text("a file")

    with pytest.raises(ConfigurationError, match="vector index"):
        async with open_servers(tmp_path, postgres=False, chroma=True):
            pass


async def test_a_command_that_attaches_does_not_own_the_store(tmp_path: Path) -> None:
    async with (
        open_servers(tmp_path, postgres=False, chroma=True) as servers,
        open_servers(tmp_path, postgres=False, chroma=True, attach=True) as attached,
    ):
        assert attached.chroma_url == servers.chroma_url
        assert attached.chroma_store is None
