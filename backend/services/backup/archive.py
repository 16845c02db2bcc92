"""Writing a tar file whose members' sizes are known only when they end."""

import fcntl
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from backend.core.durability import force_to_disk
from backend.core.errors import BackupRefusedError
from backend.services.backup.manifest import Member

GZIP = 31
"""zlib's way to ask for gzip's format with its largest window."""
QUICK = 3
"""A level of compression: about twice as fast as the usual one, for a tenth more bytes."""

Write = Callable[[bytes], None]


class Archive:
    """A tar file that is being written from front to back. Nothing is held in memory but the list of its members.

    Each header is written twice: first without a size, and again, in the same place, when the member has ended.
    """

    def __init__(self, file: BinaryIO, moment: float) -> None:
        self._file = file
        self._moment = int(moment)
        self.members: list[Member] = []
        self.size = 0
        """The bytes of the whole file, known at its end."""

    @contextmanager
    def member(self, name: str) -> Iterator[Write]:
        """Add a member: the block gets a function that adds bytes to it."""
        begin = self._file.tell()
        digest, size = hashlib.sha256(), 0

        def write(piece: bytes) -> None:
            nonlocal size
            digest.update(piece)
            self._put(piece)
            size += len(piece)

        self._put(self._header(name, 0))
        yield write
        self._put(b"\0" * (-size % tarfile.BLOCKSIZE))
        end = self._file.tell()
        self._file.seek(begin)
        self._put(self._header(name, size))
        self._file.seek(end)
        self.members.append(Member(name, size, digest.hexdigest()))

    @contextmanager
    def compressed(self, name: str) -> Iterator[Write]:
        """Add a member that is compressed by gzip."""
        with self.member(name) as write:
            packer = zlib.compressobj(QUICK, zlib.DEFLATED, GZIP)
            yield lambda piece: write(packer.compress(piece))
            write(packer.flush())

    def add(self, name: str, content: bytes) -> None:
        """Add a small member."""
        with self.member(name) as write:
            write(content)

    def end(self) -> None:
        """Write the end of the archive, and wait until all of it is on the disk."""
        self._put(b"\0" * (2 * tarfile.BLOCKSIZE))
        self.size = self._file.tell()
        with _told():
            self._file.flush()
            os.fsync(self._file.fileno())

    def _header(self, name: str, size: int) -> bytes:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, self._moment, 0o600
        # GNU's format writes any size into the same number of bytes.
        return info.tobuf(tarfile.GNU_FORMAT)

    def _put(self, data: bytes) -> None:
        with _told():
            self._file.write(data)


@contextmanager
def new_file(path: Path, moment: float) -> Iterator[Archive]:
    """Yield an archive that stands under the path (0600) once the block has ended well; else nothing stays.

    Raises:
        BackupRefusedError: There is a file already, another backup is being written there, or the place cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    with _told():
        _assert_free(path)
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "r+b") as file:
        _hold(descriptor, path)
        try:
            with _told():
                os.fchmod(descriptor, 0o600)
                os.ftruncate(descriptor, 0)  # Of one that was killed.
            archive = Archive(file, moment)
            yield archive
            archive.end()
            with _told():
                _assert_free(path)
                partial.rename(path)
                force_to_disk(path.parent)
        except BaseException:
            # The first failure is the one to tell: closing writes what is left, and fails again where the disk is full.
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            with suppress(OSError):
                file.close()
            raise


def _assert_free(path: Path) -> None:
    if os.path.lexists(path):
        raise BackupRefusedError(f"{path} exists already. Choose another name: a backup never overwrites a file.")


def _hold(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BackupRefusedError(f"Another process is writing {path}.") from error


@contextmanager
def _told() -> Iterator[None]:
    """Say in a sentence what the disk did not allow."""
    try:
        yield
    except OSError as error:
        raise BackupRefusedError(f"The backup cannot be written: {error.strerror}. Nothing was left behind.") from error
