"""The program that stands between the launcher and a server, so that no server outlives the process that started it.

It runs as a script, without site-packages: ``python -I -S watcher.py UID GID STOP_SIGNAL LOCK LOG COMMAND...``. The launcher
holds the other end of its standard input. The end of that input means that the launcher is gone, whatever ended it, or wants the
server gone; the server is then stopped. It also holds a copy of the launcher's lock: the data folder is free only once the server
is really down. It ends with the server's exit status, or 128 and the number of the signal that ended it.

What the server says comes through a pipe, and goes to the file LOG, which its standard output is when it begins. A file that is
full makes room: it is kept as ``LOG.1``, the one before as ``LOG.2`` and so on, and the oldest goes. Where the disk takes nothing,
what is said is lost, and the server never waits for it.
"""

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 20.0
_ORPHAN_PATIENCE_SECONDS = 5.0
_LAST_WORDS_SECONDS = 2.0
_LOG_BYTES = 8 * 1024 * 1024
_KEPT_LOGS = 3


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class _Log:
    """The file that standard output and standard error are: the watcher's own words get there as well."""

    def __init__(self, path: str) -> None:
        self._path = path

    def copy(self, source: int) -> None:
        """Write what comes, whole lines where there are any, until nobody can say anything any more."""
        while piece := os.read(source, 1 << 16):
            try:
                self._write(piece)
            except OSError:
                continue  # A full disk. There is nobody to tell, and the server goes on.

    def _write(self, piece: bytes) -> None:
        if os.fstat(1).st_size + len(piece) > _LOG_BYTES:
            end = piece.find(b"\n") + 1
            with suppress(OSError):
                os.write(1, piece[:end])
            piece = piece[end:]
            self._make_room()
        os.write(1, piece)

    def _make_room(self) -> None:
        names = [self._path, *(f"{self._path}.{number}" for number in range(1, _KEPT_LOGS + 1))]
        try:
            for older, newer in reversed(list(zip(names[1:], names, strict=False))):
                if os.path.exists(newer):
                    os.replace(newer, older)
            fresh = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:
            os.ftruncate(1, 0)  # Bounded all the same.
            return
        os.dup2(fresh, 1)
        os.dup2(fresh, 2)
        os.close(fresh)


def _become_server(uid: int, gid: int, stop: int, command: list[str], watcher: int) -> None:
    """Turn the forked child into the server. Returns only if that failed."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    _prctl(_PR_SET_PDEATHSIG, stop)  # After setuid, which clears it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _IGNORED)  # A blocked signal would stay blocked after exec.
    if os.getppid() == watcher:  # Else the watcher died before the lines above, and no signal will come.
        os.execv(command[0], command)  # noqa: S606 - the launcher names the program by its absolute path


def _start(uid: int, gid: int, stop: int, command: list[str], output: int) -> int:
    """Fork the server, which writes to ``output``. It begins with default signals, for an ignored one would stay so after exec.

    Until it does, they are blocked in it: one that is sent at once, by a launcher that changed its mind, waits and is not lost.
    """
    watcher = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, _IGNORED)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            _become_server(uid, gid, stop, command, watcher)
        except OSError as error:
            os.write(2, f"cannot start {command[0]}: {error}\n".encode())
        finally:
            os._exit(127)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _IGNORED)
    return child


def _watch(child: int, stop: int, wake: int) -> int:
    """Wait until the server has ended, stopping it once standard input is at its end. Returns its wait status."""
    sources = [0, wake]
    timeout: float | None = None
    signals = [stop, signal.SIGQUIT, signal.SIGKILL]
    while True:
        ready = select.select(sources, [], [], timeout)[0]
        if wake in ready:
            os.read(wake, 512)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended == child:
            return status
        if 0 in ready or not ready:
            sources = [wake]
            timeout = _PATIENCE_SECONDS
            os.kill(child, signals.pop(0) if len(signals) > 1 else signals[0])


def _end_orphans() -> None:
    """End what the server left behind: the busy backends of a killed postmaster go on and hold its shared memory."""
    impatient_at = time.monotonic() + _ORPHAN_PATIENCE_SECONDS
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        with_what = signal.SIGQUIT if time.monotonic() < impatient_at else signal.SIGKILL
        for orphan in children.read_text().split() if children.exists() else ():
            os.kill(int(orphan), with_what)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def main(arguments: list[str]) -> int:
    """Run a server until it ends, or until standard input does. Returns the exit status for the launcher."""
    uid, gid, stop, lock = (int(argument) for argument in arguments[:4])
    os.set_inheritable(lock, False)  # The lock is for the watcher alone: a stray backend must not hold the data folder.
    os.umask(0o077)
    for ignored in _IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    said, output = os.pipe()
    child = _start(uid, gid, stop, arguments[5:], output)
    os.close(output)
    writing = Thread(target=_Log(arguments[4]).copy, args=(said,), daemon=True)
    writing.start()
    status = _watch(child, stop, wake)
    _end_orphans()
    writing.join(_LAST_WORDS_SECONDS)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
