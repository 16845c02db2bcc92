"""The server of one of several API processes."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from uvicorn.importer import import_from_string

from backend.bootstrap.metrics import Member
from backend.cli.processes.charge import Charge
from backend.cli.processes.reports import Reports
from backend.cli.processes.retiring import RetiringServer
from backend.cli.server import DRAIN_MARGIN_SECONDS, configuration
from backend.core.config import Settings


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
