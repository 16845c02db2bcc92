"""Files of the data folder that nobody else may read, and the ports that are remembered there."""

import os
import secrets
import socket
from pathlib import Path

from backend.core.errors import ConfigurationError

LOOPBACK = "127.0.0.1"

_PORTS = range(20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections, so that none takes a server's port while it restarts."""


def prepare_data_folder(data_dir: Path) -> Path:
    """Return the absolute path of the data folder, which is created (0700) where it is missing.

    Raises:
        ConfigurationError: It cannot be created or used by this user.
    """
    folder = data_dir.expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        message = f"The data folder {folder} cannot be used: {error.strerror}. Choose another one, or change its owner."
        raise ConfigurationError(message) from error
    return folder


def write_private(path: Path, text: str) -> None:
    """Replace a file (0600) in one step: a reader, or a crash, sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def open_log(path: Path) -> int:
    """Open a log (0600) for appending and return its descriptor. Whoever writes to it keeps it within bounds."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered_port(path: Path) -> int:
    """Return the port that ``path`` remembers if nobody listens there, else a free one, which is remembered from now on."""
    remembered = path.read_text().strip() if path.exists() else ""
    if remembered.isdecimal() and int(remembered) in _PORTS and _is_free(int(remembered)):
        return int(remembered)
    for _ in range(1000):
        port = secrets.choice(_PORTS)
        if _is_free(port):
            write_private(path, f"{port}\n")
            return port
    message = f"No port between {_PORTS.start} and {_PORTS.stop} is free on {LOOPBACK}."
    raise ConfigurationError(message)
