"""The limits that a parsing process puts on itself."""

import os
import resource
import signal
import sys
from contextlib import suppress

_NICENESS = 10
_OPEN_FILES = 32
_PR_SET_PDEATHSIG = 1


def confine(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process for the rest of its life; it then can write no file and few bytes of memory.

    It must be called before the first byte of a document is read. Past ``cpu_seconds`` the kernel sends SIGXCPU. macOS does not
    enforce the limit of memory and has no signal at a parent's death; the limit of time ends the process there too.
    """
    os.nice(_NICENESS)
    if sys.platform == "linux":
        _die_with_parent()
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")  # Where the machine runs out of memory, this process goes first and not the server.
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _lower(resource.RLIMIT_CPU, cpu_seconds, grace=1)
    if sys.platform != "darwin":  # setrlimit refuses it there.
        _lower(resource.RLIMIT_AS, memory_bytes)


def _lower(kind: int, limit: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(kind)
    highest = limit + grace if hard == resource.RLIM_INFINITY else min(limit + grace, hard)
    resource.setrlimit(kind, (min(limit, highest), highest))


def _die_with_parent() -> None:
    """Ask for SIGKILL when the thread that forked this process ends: the event loop's, which lives as long as the server."""
    import ctypes  # noqa: PLC0415 - costs 10 ms, and only Linux needs it

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
