"""The lock of a data folder, and the note in it that tells other commands where the servers are."""

import asyncio
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.adapters.servers.private_files import write_private
from backend.core.errors import ConfigurationError, InstanceRunningError

_PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Instance:
    """Who runs the servers of a data folder, and where they answer. The URLs hold credentials."""

    pid: int
    owner_url: str | None
    app_url: str | None
    chroma_url: str | None


def write_instance(folder: Path, instance: Instance) -> None:
    """Tell other commands of this user how to attach."""
    write_private(folder / "instance.json", json.dumps(asdict(instance)))


def remove_instance(folder: Path) -> None:
    """Tell other commands that nobody runs the servers any more."""
    (folder / "instance.json").unlink(missing_ok=True)


def _read_instance(folder: Path) -> Instance | None:
    try:
        return Instance(**json.loads((folder / "instance.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):  # Not there yet, or written by another version.
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def take_lock(folder: Path, *, attach: bool) -> int | Instance:
    """Return the descriptor of the folder's lock, which is held until every copy of it is closed.

    Waits up to 5 seconds, for the servers of a process that was just killed may still be going down. With ``attach``, an
    instance that is alive and has told its addresses is returned instead.

    Raises:
        InstanceRunningError: Another process held the lock all that time.
        ConfigurationError: This user may not use the folder.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"The data folder {folder} cannot be used: {error.strerror}. Choose another one, or change its owner."
        raise ConfigurationError(message) from error
    try:
        found = await _lock_or_instance(folder, descriptor, attach=attach)
    except BaseException:
        os.close(descriptor)
        raise
    if found is None:
        return descriptor
    os.close(descriptor)
    return found


async def _lock_or_instance(folder: Path, descriptor: int, *, attach: bool) -> Instance | None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while not _locked(descriptor):
        instance = _read_instance(folder)
        if attach and instance is not None and _is_alive(instance.pid):
            return instance
        if loop.time() > deadline:
            who = f"Process {instance.pid}" if instance is not None else "Another process"
            message = f"{who} is using the data folder {folder}. Stop it first, or choose another folder."
            raise InstanceRunningError(message)
        await asyncio.sleep(_POLL_SECONDS)
    return None
