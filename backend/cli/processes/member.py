"""One of several API processes: ``python -P -m backend.cli.processes.member``, started by ``docent serve``.

Its standard input holds its charge in the first line, then ``retire`` when another one takes its place. The end of that input means
that the parent is gone, whatever ended it.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from uuid import UUID

import typer
from uvicorn.importer import import_from_string

from backend.bootstrap.metrics import Member
from backend.cli.commands import check, read_settings
from backend.cli.processes.charge import Charge
from backend.cli.processes.retiring import RetiringServer
from backend.cli.server import DRAIN_MARGIN_SECONDS, configuration
from backend.core.config import Settings
from backend.core.errors import DocentError
from backend.core.imports import at_once
from backend.core.logging import configure_logging

_PR_SET_PDEATHSIG = 1


class Reports:
    """Tells the parent what becomes of this process, in lines. It never waits for the parent."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def say(self, line: str) -> None:
        """Write a line. A parent that does not read misses it: it is gone, or will ask the database sooner or later."""
        try:
            os.write(self._descriptor, line.encode() + b"\n")
        except (BlockingIOError, BrokenPipeError):
            return

    def answer(self, message_id: UUID, begun: bool) -> None:
        """Say that an answer has begun, or is over."""
        self.say(f"{'+' if begun else '-'}{message_id}")


class MemberServer(RetiringServer):
    """Reports what its parent has to know."""

    def __init__(self, charge: Charge, reports: Reports, settings: Settings) -> None:
        beside = Member(charge.number, Path(charge.measurements))
        app = import_from_string("backend.main:create_app")(settings, beside=beside)
        super().__init__(configuration(settings, app), settings)
        self.door.ui_port = charge.ui_port
        self._reports = reports
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``DrainingServer.startup``."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.application.services.answering.turns.told = self._reports.answer
        self._reports.say("ready")

    def listen_to_parent(self, lines: Iterator[bytes], *, embedded: bool) -> None:
        """Do what the parent says, in a thread of its own, until it is gone: then end, in whatever state this process is."""
        for line in lines:
            if line == b"retire" and self._loop is not None:
                self._loop.call_soon_threadsafe(self.retire)
        if not embedded:
            # Its database is still there, to store what was said so far.
            self.should_exit = True
            time.sleep(2 * (self._settings.shutdown_grace_seconds + DRAIN_MARGIN_SECONDS))
        os._exit(1)


def main() -> None:
    """Serve until told to stop."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # It is meant for the parent.
    lines = _lines_of(0)
    charge = Charge.read(next(lines))
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
