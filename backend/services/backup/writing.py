"""Writing a backup while everything goes on."""

from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from backend.core.clock import now
from backend.core.errors import BlobNotFoundError
from backend.db.backups.dumping import Dump, open_dump
from backend.ports.blob_store import BlobStore
from backend.services.backup.archive import Archive, new_file
from backend.services.backup.manifest import (
    FILES,
    FORMAT,
    HEADER,
    MANIFEST,
    SECRET_KEY,
    Header,
    Manifest,
    Summary,
    TableContent,
    summary,
    written,
)
from backend.services.backup.reading import table_member


class BackupWriter:
    """Writes all that a place holds into one file.

    The rows are those of one moment. The files come after them, and are all there: a file that is deleted meanwhile stays in the
    store for an hour.
    """

    def __init__(self, url: str, blobs: BlobStore, secret_key: str | None) -> None:
        self._url = url
        self._blobs = blobs
        self._secret_key = secret_key

    async def write(self, path: Path, *, with_vectors: bool) -> Summary:
        """Write a backup (0600) and return what is in it. Under its own name it is whole, or not there.

        Files that the store does not have are told by ``Summary.missing``.

        Raises:
            BackupRefusedError: The file exists, or cannot be written.
            UnavailableError: PostgreSQL or the store does not answer; nothing stays.
        """
        begun, moment = perf_counter(), now()
        with new_file(path, moment.timestamp()) as archive:
            async with open_dump(self._url, with_vectors=with_vectors) as dump:
                header = Header(FORMAT, version("docent"), dump.revision, moment, with_vectors, await dump.embedder())
                archive.add(HEADER, written(header))
                if self._secret_key is not None:
                    archive.add(SECRET_KEY, self._secret_key.encode())
                tables = await _tables(archive, dump)
                keys = await dump.blob_keys()
            missing = [key for key in keys if not await self._file(archive, key)]
            manifest = Manifest(tuple(archive.members), tuple(tables), tuple(missing))
            archive.add(MANIFEST, written(manifest))
        return summary(header, manifest, size=archive.size, seconds=perf_counter() - begun)

    async def _file(self, archive: Archive, key: str) -> bool:
        """Add a file; return whether the store has it."""
        pieces = self._blobs.open(key)
        try:
            first = await anext(pieces, b"")
        except BlobNotFoundError:
            return False
        with archive.member(f"{FILES}{key}") as write:
            write(first)
            async for piece in pieces:
                write(piece)
        return True


async def _tables(archive: Archive, dump: Dump) -> list[TableContent]:
    contents = []
    for table in dump.tables:
        with archive.compressed(table_member(table.name)) as write:
            rows = await dump.copy(table, write)
        contents.append(TableContent(table.name, table.columns, rows))
    return contents
