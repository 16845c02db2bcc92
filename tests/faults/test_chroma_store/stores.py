"""Looking into a store of Chroma, and damaging it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from backend.adapters.servers.chroma_store import ChromaStore, IndexLoss

Damage = Callable[[Path], object]


def prepared(store: ChromaStore) -> IndexLoss | None:
    """Prepare as for a start, and return the loss that is to be told."""
    os.close(store.prepare())
    return store.loss()


def content(store: ChromaStore) -> set[str]:
    return {path.name for path in store.path.iterdir() if not path.name.startswith("quarantine-")}


def quarantines(store: ChromaStore) -> list[Path]:
    return sorted(store.path.glob("quarantine-*"))


def written(store: Path) -> Path:
    """The folder of the segment that was written out and belongs to a collection."""
    query = "select id from segments join max_seq_id on id = segment_id where scope = 'VECTOR'"
    with closing(sqlite3.connect(store / "chroma.sqlite3")) as database:
        (name,) = database.execute(query).fetchone()
    return store / str(name)


def cut(path: Path, *, by: int = 1) -> None:
    os.truncate(path, path.stat().st_size - by)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def turned_into_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("?")


def spoil(path: Path) -> None:
    """Overwrite a part in the middle."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(20 * 4096))


def forget(table: str, store: Path) -> None:
    with closing(sqlite3.connect(store / "chroma.sqlite3", isolation_level=None)) as database:
        database.execute(f"drop table {table}")


DAMAGES: dict[str, Damage] = {
    "a cut data file": lambda store: cut(written(store) / "data_level0.bin"),
    "a cut list of lengths": lambda store: cut(written(store) / "length.bin", by=4),
    "a list of links of four terabytes": lambda store: os.truncate(written(store) / "link_lists.bin", 1 << 42),
    "a header of zeros": lambda store: zero(written(store) / "header.bin"),
    "a cut header": lambda store: os.truncate(written(store) / "header.bin", 20),
    "no header": lambda store: os.unlink(written(store) / "header.bin"),
    "no list of links": lambda store: os.unlink(written(store) / "link_lists.bin"),
    "no names": lambda store: os.unlink(written(store) / "index_metadata.pickle"),
    "cut names": lambda store: cut(written(store) / "index_metadata.pickle"),
    "empty names": lambda store: os.truncate(written(store) / "index_metadata.pickle", 0),
    "no segment": lambda store: shutil.rmtree(written(store)),
    "an empty segment": lambda store: emptied(written(store)),
    "a file in place of a segment": lambda store: turned_into_a_file(written(store)),
    "no database": lambda store: os.unlink(store / "chroma.sqlite3"),
    "an empty database": lambda store: os.truncate(store / "chroma.sqlite3", 0),
    "a database of garbage": lambda store: (store / "chroma.sqlite3").write_bytes(os.urandom(100_000)),
    "a cut database": lambda store: os.truncate(store / "chroma.sqlite3", 40_960),
    "a database with garbage in it": lambda store: spoil(store / "chroma.sqlite3"),
    "a database without a table": lambda store: forget("max_seq_id", store),
}
