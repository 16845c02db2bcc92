"""Reading a backup: all of it is checked before any of it is used."""

import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.core.errors import BackupRefusedError
from backend.services.backup.archive import GZIP
from backend.services.backup.manifest import FILES, FORMAT, HEADER, MANIFEST, SECRET_KEY, TABLES, Header, Manifest, Member, read

PIECE_BYTES = 1 << 20
LONGEST_DESCRIPTION = 1 << 30
"""A manifest has about 150 bytes for each file."""
KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
"""Keys of files, which become paths: nothing that leads upwards or begins at the root."""

INCOMPLETE = "The backup is damaged or incomplete: its end is missing. Nothing was restored."


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A backup that was found to be whole. ``size`` is that of the file; ``places`` tells where each member's bytes begin."""

    path: Path
    size: int
    header: Header
    manifest: Manifest
    places: dict[str, int]

    @classmethod
    def verified(cls, path: Path, revisions: Sequence[str]) -> "BackupFile":
        """Read the whole file and compare every byte of it with its manifest.

        Raises:
            BackupRefusedError: It is no backup, of another format or a newer release, incomplete, or changed.
        """
        with _told(path), path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            first = tar.next()
            header = _header(first, file, revisions)
            found, places, text = _members(tar, first, file)
            manifest = read(Manifest, text)
        _compare(manifest, found)
        return cls(path, path.stat().st_size, header, manifest, places)

    def content(self, member: Member) -> Iterator[bytes]:
        """Yield a member's bytes."""
        with _told(self.path), self.path.open("rb") as file:
            file.seek(self.places[member.name])
            yield from _pieces(file, member.size)

    def rows(self, table: str) -> Iterator[bytes]:
        """Yield a table's rows in PostgreSQL's text format.

        Raises:
            BackupRefusedError: What is there is not compressed as it should be.
        """
        unpacker = zlib.decompressobj(GZIP)
        try:
            for piece in self.content(self._members[table_member(table)]):
                data = unpacker.decompress(piece, PIECE_BYTES)
                while data:
                    yield data
                    data = unpacker.decompress(unpacker.unconsumed_tail, PIECE_BYTES)
        except zlib.error as error:
            raise BackupRefusedError(f"The table {table} of the backup cannot be read.") from error
        if not unpacker.eof:
            raise BackupRefusedError(f"The table {table} of the backup has no end.")

    def files(self) -> dict[str, Member]:
        """Return the uploaded files by the keys of the store."""
        return {name.removeprefix(FILES): member for name, member in self._members.items() if name.startswith(FILES)}

    def secret_key(self) -> str | None:
        """Return the key that signs access tokens, if the backup has it."""
        member = self._members.get(SECRET_KEY)
        return None if member is None else b"".join(self.content(member)).decode()

    @property
    def _members(self) -> dict[str, Member]:
        return {member.name: member for member in self.manifest.members}


def table_member(table: str) -> str:
    """Return the name of the member that holds a table."""
    return f"{TABLES}{table}.gz"


def _header(first: tarfile.TarInfo | None, file: BinaryIO, revisions: Sequence[str]) -> Header:
    if first is None or first.name != HEADER:
        raise BackupRefusedError("This file is not a backup of Docent.")
    file.seek(first.offset_data)
    header = read(Header, file.read(min(first.size, PIECE_BYTES)))
    if header.format != FORMAT:
        raise BackupRefusedError(
            f"This backup has the format {header.format}, and this release reads the format {FORMAT}. "
            f"It was written by Docent {header.release}: restore it with that release or a newer one."
        )
    if header.revision not in revisions:
        raise BackupRefusedError(
            f"This backup was written by a newer release, Docent {header.release} (revision {header.revision}). Upgrade Docent."
        )
    return header


def _members(tar: tarfile.TarFile, info: tarfile.TarInfo | None, file: BinaryIO) -> tuple[list[Member], dict[str, int], bytes]:
    """Read all members with their sums, from this one up to the manifest, and that one's text."""
    found: list[Member] = []
    places: dict[str, int] = {}
    while info is not None:
        if info.name == MANIFEST:
            file.seek(info.offset_data)
            return found, places, file.read(min(info.size, LONGEST_DESCRIPTION))
        digest = hashlib.sha256()
        file.seek(info.offset_data)
        for piece in _pieces(file, info.size):
            digest.update(piece)
        found.append(Member(info.name, info.size, digest.hexdigest()))
        places[info.name] = info.offset_data
        info = tar.next()
        # They would pile up, a kilobyte for each file; the library's manual says how to prevent it, and its stubs do not know.
        tar.members = []  # type: ignore[attr-defined]
    raise BackupRefusedError(INCOMPLETE)


def _compare(manifest: Manifest, found: Sequence[Member]) -> None:
    said = {member.name: member for member in manifest.members}
    changed = [member.name for member in found if said.get(member.name) != member]
    if changed or len(said) != len(found):
        which = f": {changed[0]} is not what was written" if changed else ""
        raise BackupRefusedError(f"The backup is damaged or was changed{which}. Nothing was restored.")
    if unsafe := [name for name in said if name.startswith(FILES) and not KEY.fullmatch(name.removeprefix(FILES))]:
        raise BackupRefusedError(f"The backup names a file that no store has: {unsafe[0]!r}. Nothing was restored.")
    if missing := [table.name for table in manifest.tables if table_member(table.name) not in said]:
        raise BackupRefusedError(f"The backup has no rows of the table {missing[0]}. Nothing was restored.")


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, PIECE_BYTES))
        if not piece:
            raise BackupRefusedError(INCOMPLETE)
        size -= len(piece)
        yield piece


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in a sentence why a file cannot be read."""
    try:
        yield
    except tarfile.TarError as error:
        raise BackupRefusedError(f"{path} is not a backup of Docent, or it is damaged.") from error
    except OSError as error:
        raise BackupRefusedError(f"{path} cannot be read: {error.strerror}.") from error
