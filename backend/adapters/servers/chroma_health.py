"""Telling a store of Chroma that is whole from one that is not, before the server opens it.

Chroma writes its index in place: killed at the wrong moment it leaves files that crash the server, or hide rows without a word.
The sizes of a segment's files follow from its header, so that no file has to be read. What they cannot tell, such as a flipped
bit in a vector, is found by comparing with PostgreSQL.
"""

import os
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from uuid import UUID

DATABASE = "chroma.sqlite3"

_TABLES = frozenset({"collections", "segments", "embeddings", "embeddings_queue", "max_seq_id"})
_CHECK_SECONDS = 5.0
_INSTRUCTIONS = 100_000
"""After so many of SQLite's instructions it looks at the clock; some milliseconds."""

# Of the format of hnswlib: how many rows there is room for, how many there are, and the bytes of one.
_HEADER = struct.Struct("<12xQQQ")
_LINKS_FLOOR = 1 << 20
_MARK_FLUSHED = "index_metadata.pickle"
_PICKLE_STOP = b"."

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT})


class BrokenStoreError(Exception):
    """The store cannot be used as it is. The message says why, for the log."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """What the database knows: all segments, and those whose index was written to its folder."""

    all: frozenset[str]
    flushed: frozenset[str]


def examine(store: Path) -> list[Path]:
    """Return the folders of segments that no collection has any more: of those that were dropped.

    The server must not run. Takes a few file system calls for each segment, and at most about 5 seconds for the database.

    Raises:
        BrokenStoreError: The database or a segment is damaged, or misses a part.
        OSError: The store cannot be examined: it is not ours to read, or another program has its database open.
    """
    try:
        segments = _segments(store / DATABASE)
        for name in sorted(segments.all):
            _examine_segment(store / name, flushed=name in segments.flushed)
        return [path for path in store.iterdir() if _is_segment(path) and path.name not in segments.all]
    except PermissionError:
        raise
    except OSError as error:
        if isinstance(error, BlockingIOError):
            raise
        raise BrokenStoreError(f"{error.filename}: {error.strerror}") from error


def _is_segment(path: Path) -> bool:
    try:
        return str(UUID(path.name)) == path.name and path.is_dir() and not path.is_symlink()
    except ValueError:
        return False


def _segments(path: Path) -> _Segments:
    if not path.is_file():
        raise BrokenStoreError(f"{DATABASE} is missing")
    try:
        # Not read-only: what a killed server left unfinished is rolled back by whoever opens the database next.
        with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as database:
            return _read(database)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGED:
            raise BrokenStoreError(f"{DATABASE} is damaged: {error}") from error
        raise BlockingIOError(f"{DATABASE} cannot be read: {error}") from error


def _read(database: sqlite3.Connection) -> _Segments:
    tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
    if missing := _TABLES - tables:
        raise BrokenStoreError(f"{DATABASE} has no table {min(missing)}")
    if (defect := _quick_check(database)) != "ok":
        raise BrokenStoreError(f"{DATABASE} is damaged: {defect}")
    every = frozenset(name for (name,) in database.execute("select id from segments"))
    vectors = frozenset(name for (name,) in database.execute("select id from segments where scope = 'VECTOR'"))
    flushed = frozenset(name for (name,) in database.execute("select segment_id from max_seq_id"))
    return _Segments(every, flushed & vectors)


def _quick_check(database: sqlite3.Connection) -> str:
    """Look for damage for a few seconds; what is found in the rest of a large file is found when it is used."""
    deadline = monotonic() + _CHECK_SECONDS
    database.set_progress_handler(lambda: monotonic() > deadline, _INSTRUCTIONS)
    try:
        return str(database.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return "ok"
    finally:
        database.set_progress_handler(None, 0)


def _examine_segment(folder: Path, *, flushed: bool) -> None:
    if not folder.exists():
        if flushed:
            raise BrokenStoreError(f"segment {folder.name} is missing")
        return  # Its rows are still in the database's log.
    header = (folder / "header.bin").read_bytes()
    if len(header) < _HEADER.size:
        raise BrokenStoreError(f"segment {folder.name}: header.bin is cut")
    room, rows, row_bytes = _HEADER.unpack_from(header)
    held = rows or room  # One that was never flushed is written out with all its room.
    sizes = {name: os.stat(folder / name).st_size for name in ("data_level0.bin", "length.bin", "link_lists.bin")}
    if row_bytes == 0 or sizes["data_level0.bin"] != held * row_bytes or sizes["length.bin"] != held * 4:
        raise BrokenStoreError(f"segment {folder.name}: its files do not have the sizes that header.bin tells")
    if sizes["link_lists.bin"] > max(_LINKS_FLOOR, sizes["data_level0.bin"]):  # Broken ones claim terabytes, and are sparse.
        raise BrokenStoreError(f"segment {folder.name}: link_lists.bin has {sizes['link_lists.bin']} bytes")
    if flushed and rows == 0:
        raise BrokenStoreError(f"segment {folder.name} was made anew, without its rows")
    if rows and not _ends_well(folder / _MARK_FLUSHED):
        raise BrokenStoreError(f"segment {folder.name}: {_MARK_FLUSHED} is cut")


def _ends_well(pickle: Path) -> bool:
    with pickle.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) == _PICKLE_STOP
