"""The note beside the store: whose it is, and what was lost."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from backend.adapters.servers.chroma_store import ChromaStore
from tests.faults.test_chroma_store.stores import content, cut, prepared, quarantines, written


def test_a_store_of_another_version_is_moved_aside(store: ChromaStore) -> None:
    (store.folder / "chroma.json").write_text(json.dumps({"version": "1.5.8", "loss": None}))

    loss = prepared(store)

    assert loss is not None
    assert loss.reason == f"it was written by chromadb 1.5.8, and this is chromadb {version('chromadb')}"
    store.acknowledge(loss)
    assert json.loads((store.folder / "chroma.json").read_text()) == {"version": version("chromadb"), "loss": None}


def test_a_store_without_a_note_is_adopted_if_it_is_whole(store: ChromaStore) -> None:
    (store.folder / "chroma.json").unlink()

    assert prepared(store) is None

    assert written(store.path).exists()
    assert json.loads((store.folder / "chroma.json").read_text())["version"] == version("chromadb")
    (store.folder / "chroma.json").unlink()
    cut(written(store.path) / "data_level0.bin")
    assert prepared(store) is not None


@pytest.mark.parametrize("note", ["", "{", "[]", '{"version": "1.5.9"}', '{"version": "1.5.9", "loss": 5}'])
def test_a_note_that_cannot_be_read_may_have_told_of_a_loss(store: ChromaStore, note: str) -> None:
    (store.folder / "chroma.json").write_text(note)

    assert prepared(store) is not None

    assert content(store) == set()


def test_a_loss_is_told_until_it_is_acknowledged_and_a_later_one_is_another(store: ChromaStore) -> None:
    cut(written(store.path) / "data_level0.bin")
    first = prepared(store)
    assert first is not None
    assert ChromaStore(store.folder).loss() == first

    (store.path / "chroma.sqlite3").write_text("garbage")
    second = prepared(store)
    assert second not in {None, first}
    assert len(quarantines(store)) == 1

    store.acknowledge(first)
    assert store.loss() == second
    assert second is not None
    store.acknowledge(second)
    assert store.loss() is None


def test_a_crash_while_the_content_is_moved_aside_is_finished_at_the_next_start(
    store: ChromaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.folder / "chroma.json").write_text(json.dumps({"version": "1.5.8", "loss": None}))
    before, rename = len(content(store)), Path.rename

    def rename_one_and_die(self: Path, target: Path) -> None:
        monkeypatch.setattr(Path, "rename", crash)
        rename(self, target)

    def crash(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", rename_one_and_die)
    with pytest.raises(KeyboardInterrupt):
        store.prepare()
    monkeypatch.undo()
    assert len(content(store)) == before - 1
    assert store.loss() is not None

    assert prepared(store) is not None
    assert content(store) == set()
    assert len(quarantines(store)) == 1
    assert json.loads((store.folder / "chroma.json").read_text())["version"] == version("chromadb")
