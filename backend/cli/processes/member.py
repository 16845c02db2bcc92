"""One of several API processes: ``python -P -m backend.cli.processes.member``, started by ``docent serve``.

Its standard input holds its charge in the first line, then ``retire`` when another one takes its place. The end of that input means
that the parent is gone, whatever ended it.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from threading import Thread

import typer

from backend.cli.commands import check, read_settings
from backend.cli.processes.charge import Charge
from backend.cli.processes.reports import Reports
from backend.core.errors import DocentError
from backend.core.imports import at_once
from backend.core.logging import configure_logging

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until told to stop."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # It is meant for the parent.
    lines = _lines_of(0)
    line = next(lines, None)
    if line is None:
        return  # The parent has changed its mind.
    charge = Charge.read(line)
    if charge.embedded:
        _die_with(charge.parent)
    reports = Reports(charge.reports)
    os.set_inheritable(charge.listener, False)
    try:
        settings = read_settings()
        check(settings, serving=True)
        configure_logging(settings.log_level, settings.log_format)
        charge.check(settings)
        with at_once():
            from backend.cli.processes.member_server import MemberServer  # noqa: PLC0415 - a refusal need not wait for it

            server = MemberServer(charge, reports, settings)
        Thread(target=server.listen_to_parent, args=(lines,), kwargs={"embedded": charge.embedded}, daemon=True).start()
        server.run([socket.socket(fileno=charge.listener)])
    except typer.Exit as error:
        reports.say("refused " + json.dumps("A setting is not valid; the line above says which."))
        sys.exit(error.exit_code)
    except DocentError as error:
        reports.say("refused " + json.dumps(error.message))
        sys.exit(1)


def _die_with(parent: int) -> None:
    """Let the system kill this process when its parent dies, so that it ends also where it hangs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _lines_of(descriptor: int) -> Iterator[bytes]:
    """Yield the lines of a descriptor as they come. No buffered file: a thread that waits in one holds up the end of a process."""
    rest = b""
    while piece := os.read(descriptor, 65_536):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


if __name__ == "__main__":
    main()
