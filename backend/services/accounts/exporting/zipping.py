"""A zip file that is sent while it is made."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from pathlib import PurePath
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

INLINE = 64 << 10
LONGEST_NAME = 200
"""Bytes of a file's name; file systems take 255, and programs that unpack add something."""
EARLIEST = (1980, 1, 1, 0, 0, 0)

# What no file system takes, or what means something in a path on some of them.
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\<>:"|?*\u2028-\u202e\u2066-\u2069]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class _Outlet:
    """Holds what was written until it is taken. It knows no position, which the zip file takes into account."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Hold these bytes."""
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: what was written waits to be taken."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        held, self._held = self._held, []
        return b"".join(held)


class ZipStream:
    """Makes a zip file piece by piece: what a member is given goes out again, and nothing else is held."""

    def __init__(self, moment: datetime) -> None:
        self._outlet = _Outlet()
        self._zip = ZipFile(cast("IO[bytes]", self._outlet), "w")
        self._moment = moment

    async def add(
        self, name: str, pieces: AsyncIterator[bytes], *, size: int = 0, compress: bool = True, at: datetime | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Add a member while its pieces arrive, and yield what is to be sent.

        ``size`` in bytes has to be told where it may be over 2 GiB.
        """
        moment = (at or self._moment).timetuple()[:6]
        info = ZipInfo(name, max(moment, EARLIEST))
        info.compress_type = ZIP_DEFLATED if compress else ZIP_STORED
        info.external_attr = 0o600 << 16
        info.file_size = size
        with self._zip.open(info, "w") as member:
            async for piece in pieces:
                if len(piece) < INLINE:
                    member.write(piece)
                else:
                    await asyncio.to_thread(member.write, piece)
                if ready := self._outlet.taken():
                    yield ready
        yield self._outlet.taken()

    def end(self) -> bytes:
        """Return what closes the file: the list of its members."""
        self._zip.close()
        return self._outlet.taken()


def safe_name(filename: str) -> str:
    """Return a file's name that every system can unpack, in one folder and into it: no separators, no ``..``, not too long."""
    name = UNSAFE.sub("_", unicodedata.normalize("NFC", filename)).strip(". ")
    if not name or RESERVED.fullmatch(name):
        name = f"_{name}"
    suffix = PurePath(name).suffix[:20]
    stem = name[: len(name) - len(suffix)] if suffix else name
    kept = stem.encode()[: LONGEST_NAME - len(suffix.encode())].decode(errors="ignore")
    return f"{kept}{suffix}"
