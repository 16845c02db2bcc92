"""What is whole stays, what is damaged moves aside, and what cannot be told is an error."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from backend.adapters.servers.chroma_store import ChromaStore
from backend.adapters.vector_indexes.chroma import ChromaVectorIndex
from tests.faults.test_chroma_store.stores import DAMAGES, Damage, content, prepared, quarantines, written
from tests.support.chroma import running_chroma


def test_a_whole_store_stays_as_it_is_but_for_what_dropped_collections_left(store: ChromaStore) -> None:
    before, data = content(store), (written(store.path) / "data_level0.bin").read_bytes()
    (store.path / "notes").mkdir()

    with capture_logs() as logs:
        assert prepared(store) is None

    assert len(before - content(store)) == 1
    assert "notes" in content(store)
    assert (written(store.path) / "data_level0.bin").read_bytes() == data
    assert quarantines(store) == []
    assert [line["event"] for line in logs] == ["chroma_orphans_removed"]
    assert prepared(store) is None


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_store_is_moved_aside_and_told(store: ChromaStore, damage: Damage) -> None:
    damage(store.path)
    before = content(store)

    with capture_logs() as logs:
        loss = prepared(store)

    assert loss is not None
    assert [line["event"] for line in logs] == ["chroma_store_lost", "chroma_store_quarantined"]
    assert logs[0]["reason"] == loss.reason
    assert content(store) == set()
    (aside,) = quarantines(store)
    assert {path.name for path in aside.iterdir()} == before
    assert prepared(store) == loss


def test_a_segment_that_was_made_anew_in_place_of_a_written_one_is_a_loss(store: ChromaStore) -> None:
    (new,) = (path for path in store.path.glob("*-*") if not (path / "index_metadata.pickle").exists())
    shutil.rmtree(old := written(store.path))
    shutil.copytree(new, old)

    loss = prepared(store)

    assert loss is not None
    assert "made anew" in loss.reason


@pytest.mark.parametrize("gone", ["the folder", "all that is in it"])
def test_a_store_that_somebody_removed_is_a_loss(store: ChromaStore, gone: str) -> None:
    shutil.rmtree(store.path)
    if gone != "the folder":
        store.path.mkdir()

    loss = prepared(store)

    assert loss is not None
    assert loss.reason == "its content is missing"
    assert store.path.stat().st_mode & 0o777 == 0o700 or gone != "the folder"


def test_a_new_store_is_told_without_a_warning(tmp_path: Path) -> None:
    store = ChromaStore(tmp_path)
    assert store.loss() is None

    with capture_logs() as logs:
        loss = prepared(store)

    assert loss is not None
    assert loss.reason == "it is new"
    assert logs == []


def test_a_store_that_another_server_still_uses_is_waited_for(store: ChromaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.adapters.servers.chroma_store._PATIENCE_SECONDS", 0.2)
    lock = store.prepare()

    with pytest.raises(BlockingIOError):
        store.prepare()
    os.close(lock)

    assert prepared(store) is None


def test_a_database_that_another_program_has_locked_is_not_taken_for_broken(store: ChromaStore) -> None:
    with closing(sqlite3.connect(store.path / "chroma.sqlite3", isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(BlockingIOError, match="locked"):
            store.prepare()

    assert prepared(store) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_store_that_may_not_be_read_is_not_taken_for_broken(store: ChromaStore) -> None:
    written(store.path).chmod(0o000)
    try:
        with pytest.raises(PermissionError):
            store.prepare()
    finally:
        written(store.path).chmod(0o700)


async def test_a_prepared_store_is_opened_by_the_server_with_all_its_rows(store: ChromaStore, tmp_path: Path) -> None:
    assert await asyncio.to_thread(prepared, store) is None
    (folder := tmp_path / "server").mkdir()
    store.path.rename(folder / "store")

    async with running_chroma(folder) as server:
        index = ChromaVectorIndex(server.url)
        assert sorted(await index.collections()) == ["docent-large", "docent-small"]
        assert (await index.count("docent-large"), await index.count("docent-small")) == (2560, 5)
        assert len(await index.query("docent-large", np.ones(8, dtype=np.float32), 2560)) == 2560
        await index.aclose()


def test_a_database_too_large_to_be_checked_in_time_is_opened(store: ChromaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.adapters.servers.chroma_health._CHECK_SECONDS", 0.0)
    monkeypatch.setattr("backend.adapters.servers.chroma_health._INSTRUCTIONS", 1)

    assert prepared(store) is None

    assert written(store.path).exists()
