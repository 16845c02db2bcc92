"""The folder of the embedded Chroma: examined before every start of the server, and emptied where it is not whole.

PostgreSQL has every vector, so a store that is broken in any way is not repaired. What is in it moves into
``quarantine-<time>`` inside of it, by renaming alone (a broken file may claim to have terabytes), and the server begins with an
empty one. To fill it again costs about five seconds for 10,000 chunks, of all owners; meanwhile the exact search answers.

A note beside the store, ``chroma.json``, says which version wrote it and that its content was lost. It is written before anything
is moved, and stays until somebody acknowledges it: a crash in between leaves a loss that is told again, never one that is not.
"""

import fcntl
import json
import os
import shutil
import threading
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic, sleep

import structlog

from backend.adapters.servers.chroma_health import BrokenStoreError, examine
from backend.adapters.servers.private_files import write_private
from backend.core.clock import now
from backend.core.ids import new_id

_PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.05
_QUARANTINE = "quarantine-"
_NEW = "it is new"
_NOTES = threading.Lock()
"""Held while a note is read and written again: the server is restarted in a thread."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IndexLoss:
    """The vector index begins empty. ``id`` is another one for each loss; ``reason`` is for logs."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Note:
    """``version`` is that of the chromadb whose server writes the store, or empty while its old content is moved aside."""

    version: str
    loss: IndexLoss | None = None


@dataclass(frozen=True, slots=True)
class ChromaStore:
    """The store of one data folder. ``prepare`` belongs to the process that runs the server; the rest may be asked at any time."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where Chroma keeps its files."""
        return self.folder / "chroma"

    @property
    def _note(self) -> Path:
        return self.folder / "chroma.json"

    def loss(self) -> IndexLoss | None:
        """Return the loss that nobody has acknowledged yet.

        A store that is new is one, too: whatever PostgreSQL remembers of an index, it is not in there. Reads a small file.

        Raises:
            OSError: It cannot be read now.
        """
        note = self._read()
        return note.loss if note is not None else None

    def acknowledge(self, loss: IndexLoss) -> None:
        """Forget a loss: what it took is written down in PostgreSQL as missing. One that came later stays."""
        with _NOTES:
            note = self._read()
            if note is not None and note.loss == loss:
                self._write(_Note(note.version))

    def prepare(self) -> int:
        """Make the store safe to open, and return a descriptor that locks it as long as any process holds a copy.

        Blocks: for milliseconds where all is well, up to 5 seconds while a server that is ending still has the store, and up to
        5 seconds for a large database.

        Raises:
            OSError: The store cannot be locked, examined or moved.
        """
        self.path.mkdir(mode=0o700, exist_ok=True)
        lock = self._locked()
        try:
            self._make_safe()
        except BaseException:
            os.close(lock)
            raise
        return lock

    def _locked(self) -> int:
        """Lock the store. The server inherits the lock: one whose parents were killed may still be writing."""
        descriptor = os.open(self.folder / "chroma.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError as error:
                if monotonic() > deadline:
                    os.close(descriptor)
                    raise BlockingIOError("another Chroma server is still using the store") from error
            sleep(_POLL_SECONDS)

    def _make_safe(self) -> None:
        note, installed = self._read(), version("chromadb")
        content = self._content()
        if not content:
            # Whoever is still to be told of a loss has nothing more to be told.
            if note is None or note.loss is None or note.version != installed:
                self._lose(installed, "its content is missing" if self._note.exists() else _NEW)
            return
        try:
            orphans = self._examined(note, installed)
        except BrokenStoreError as error:
            self._lose("", str(error))
            self._quarantine(content)
            self._sign(installed)
            return
        if note is None:
            log.info("chroma_store_adopted", version=installed)
            self._sign(installed)
        self._sweep(orphans)

    def _examined(self, note: _Note | None, installed: str) -> list[Path]:
        """Return the folders of dropped collections, if the store is whole and of this version; one without a note is."""
        if note is None:
            if self._note.exists():
                raise BrokenStoreError(f"{self._note.name} cannot be read")
        elif note.version != installed:
            written = f"chromadb {note.version}" if note.version else "a server whose store was being moved aside"
            raise BrokenStoreError(f"it was written by {written}, and this is chromadb {installed}")
        return examine(self.path)

    def _content(self) -> list[Path]:
        return [path for path in self.path.iterdir() if not path.name.startswith(_QUARANTINE)]

    def _lose(self, writer: str, reason: str) -> None:
        with _NOTES:
            self._write(_Note(writer, IndexLoss(str(new_id()), reason)))
        if reason != _NEW:
            log.warning("chroma_store_lost", reason=reason)

    def _sign(self, writer: str) -> None:
        with _NOTES:
            note = self._read()  # The loss may have been acknowledged meanwhile.
            self._write(_Note(writer, note.loss if note is not None else None))

    def _quarantine(self, content: list[Path]) -> None:
        """Move everything aside. Earlier quarantines go: one is enough to find out what happened."""
        earlier = list(self.path.glob(f"{_QUARANTINE}*"))
        aside = self.path / f"{_QUARANTINE}{now():%Y%m%dT%H%M%S.%fZ}"
        aside.mkdir(mode=0o700)
        # If this is cut short, what is left misses its other half, and the next start moves it as well.
        for path in content:
            path.rename(aside / path.name)
        log.warning("chroma_store_quarantined", folder=str(aside))
        for old in earlier:
            _remove(old)

    def _sweep(self, orphans: list[Path]) -> None:
        """Remove what dropping a collection leaves."""
        for folder in orphans:
            _remove(folder)
        if orphans:
            log.info("chroma_orphans_removed", folders=len(orphans))

    def _read(self) -> _Note | None:
        try:
            fields = json.loads(self._note.read_text(encoding="utf-8"))
            loss = fields.pop("loss")
            return _Note(**fields, loss=IndexLoss(**loss) if loss is not None else None)
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):  # Not there, or not what we write.
            return None

    def _write(self, note: _Note) -> None:
        write_private(self._note, json.dumps(asdict(note)))


def _remove(folder: Path) -> None:
    """Remove a folder that nothing depends on; one that cannot be removed now is in nobody's way."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        log.warning("chroma_folder_not_removed", folder=str(folder), error=repr(error))
