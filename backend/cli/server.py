"""uvicorn, as ``docent serve`` runs it: all that it takes to listen, which no other command needs."""

import asyncio
import socket
import sys
from contextlib import AsyncExitStack

import uvicorn
from fastapi import FastAPI
from uvicorn.importer import import_from_string
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from backend.api.front_door import FrontDoor
from backend.api.progress import Watches
from backend.bootstrap.application import Application
from backend.bootstrap.pages import open_pages, pages_answer
from backend.cli.announcement import PAGES_WITHIN_SECONDS, address_of, announce
from backend.cli.connections import UNREAD_BYTES, bounded
from backend.core.config import Settings
from backend.core.errors import DocentError

APPLICATION = "backend.main:app"
DRAIN_MARGIN_SECONDS = 5
KEEP_ALIVE_SECONDS = 30


class NamedRefusals(LifespanOn):
    """Keeps the situation with a name that prevents the start: people get its sentence, and no traceback."""

    refusal: DocentError | None = None

    async def send(self, message: LifespanSendMessage) -> None:
        """Pass on what the application says, which here is called while the exception is being handled."""
        error = sys.exc_info()[1]
        if message["type"] == "lifespan.startup.failed" and isinstance(error, DocentError):
            self.refusal, message["message"] = error, ""
        await super().send(message)


class DrainingServer(uvicorn.Server):
    """Lets running answers finish when it is told to stop."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings
        config.load()
        config.lifespan_class = NamedRefusals
        self._app: FastAPI = import_from_string(config.app)

    @property
    def application(self) -> Application:
        """What the server serves, once it has started."""
        application: Application = self._app.state.application
        return application

    @property
    def door(self) -> FrontDoor:
        """What is at ``/``."""
        door: FrontDoor = self._app.state.front_door
        return door

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen.

        Raises:
            DocentError: The application cannot start, for a reason that has a name.
            SystemExit: It cannot start for another reason, which was logged.
        """
        try:
            await super().startup(sockets)
        except SystemExit:
            if isinstance(self.lifespan, NamedRefusals) and self.lifespan.refusal is not None:
                raise self.lifespan.refusal from None
            raise

    def send_readers_away(self) -> None:
        """End what follows documents, and answers of other processes: whoever reads them comes back, and finds one of those."""
        watches: Watches = self._app.state.watches
        watches.stop()
        self.application.services.streams.let_go()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections. Running answers get the grace time, then end with an error event; watches end now."""
        self.send_readers_away()
        drain = self.application.services.drain(self._settings.shutdown_grace_seconds)
        await asyncio.gather(drain, super().shutdown(sockets))


class DocentServer(DrainingServer):
    """Runs the pages as well, and says where it answers once it does."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config, settings)
        self._pages = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print what a person wants to know. See ``DrainingServer.startup``."""
        async with AsyncExitStack() as starting:
            # Beside everything else that has to start, for they take as long.
            port = int(sockets[0].getsockname()[1]) if sockets else self._settings.port
            pages = await starting.enter_async_context(open_pages(self._settings, port))
            await super().startup(sockets)
            if not self.should_exit:
                self._pages = starting.pop_all()
                self.door.ui_port = pages
                await self._announced(pages)

    async def _announced(self, pages: int | None) -> None:
        """Say where it answers, once the pages do as well. Requests are answered meanwhile, and Ctrl-C is heard."""
        there = pages is None or await pages_answer(
            self._settings, pages, within=PAGES_WITHIN_SECONDS, given_up=lambda: self.should_exit
        )
        if not self.should_exit:
            at = address_of(self.servers[0].sockets[0])
            announce(self.application, self._settings, at, pages, "" if there else " (still starting)")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``DrainingServer.shutdown``; the pages end beside it."""
        await asyncio.gather(super().shutdown(sockets), self._pages.aclose())


def make_server(settings: Settings) -> DocentServer:
    """Return the server with the application loaded, ready to run."""
    return DocentServer(configuration(settings, APPLICATION), settings)


def configuration(settings: Settings, application: FastAPI | str) -> uvicorn.Config:
    """Return how an application is served, whoever does."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        http=bounded(settings.header_seconds, settings.read_idle_seconds),
        # Nothing here speaks WebSocket: a request for it is answered like any other.
        ws="none",
        h11_max_incomplete_event_size=UNREAD_BYTES,
        limit_concurrency=settings.max_connections,
        # Longer than the five seconds after which common clients drop an idle connection, so that theirs is the decision.
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips or None,
        timeout_graceful_shutdown=int(settings.shutdown_grace_seconds) + DRAIN_MARGIN_SECONDS,
    )
