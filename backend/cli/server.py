"""uvicorn, as ``docent serve`` runs it: all that it takes to listen, which no other command needs."""

import asyncio
import socket
import sys
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import typer
import uvicorn
from uvicorn.importer import import_from_string
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from backend.api.front_door import FrontDoor
from backend.api.progress import Watches
from backend.bootstrap.application import Application
from backend.bootstrap.pages import open_pages, pages_answer
from backend.cli.connections import UNREAD_BYTES, bounded
from backend.core.config import Settings
from backend.core.errors import DocentError

APPLICATION = "backend.main:app"
DRAIN_MARGIN_SECONDS = 5
KEEP_ALIVE_SECONDS = 30
PAGES_WITHIN_SECONDS = 10.0
"""How long the announcement waits for the pages, which are usually there within a second of the API."""


class NamedRefusals(LifespanOn):
    """Keeps the situation with a name that prevents the start: people get its sentence, and no traceback."""

    refusal: DocentError | None = None

    async def send(self, message: LifespanSendMessage) -> None:
        """Pass on what the application says, which here is called while the exception is being handled."""
        error = sys.exc_info()[1]
        if message["type"] == "lifespan.startup.failed" and isinstance(error, DocentError):
            self.refusal, message["message"] = error, ""
        await super().send(message)


class DocentServer(uvicorn.Server):
    """Says where it answers once it does, and lets running answers finish when it is told to stop."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings
        self._pages = AsyncExitStack()
        config.load()
        config.lifespan_class = NamedRefusals

    def _application(self) -> Application:
        application: Application = import_from_string(APPLICATION).state.application
        return application

    def _door(self) -> FrontDoor:
        door: FrontDoor = import_from_string(APPLICATION).state.front_door
        return door

    def _stop_watches(self) -> None:
        watches: Watches = import_from_string(APPLICATION).state.watches
        watches.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print what a person wants to know.

        Raises:
            DocentError: The application cannot start, for a reason that has a name.
            SystemExit: It cannot start for another reason, which was logged.
        """
        async with AsyncExitStack() as starting:
            # Beside everything else that has to start, for they take as long.
            port = int(sockets[0].getsockname()[1]) if sockets else self._settings.port
            pages = await starting.enter_async_context(open_pages(self._settings, port))
            try:
                await super().startup(sockets)
            except SystemExit:
                if isinstance(self.lifespan, NamedRefusals) and self.lifespan.refusal is not None:
                    raise self.lifespan.refusal from None
                raise
            if not self.should_exit:
                self._pages = starting.pop_all()
                self._door().ui_port = pages
                await self._announced(pages)

    async def _announced(self, pages: int | None) -> None:
        """Say where it answers, once the pages do as well. Requests are answered meanwhile, and Ctrl-C is heard."""
        there = pages is None or await pages_answer(
            self._settings, pages, within=PAGES_WITHIN_SECONDS, given_up=lambda: self.should_exit
        )
        if not self.should_exit:
            _announce(self._application(), self._settings, self._address(), pages, "" if there else " (still starting)")

    def _address(self) -> tuple[str, int]:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"[{host}]" if ":" in host else host, port

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections. Running answers get the grace time, then end with an error event; watches end now."""
        self._stop_watches()
        self._application().services.streams.let_go()
        drain = self._application().services.drain(self._settings.shutdown_grace_seconds)
        await asyncio.gather(drain, super().shutdown(sockets), self._pages.aclose())


def _announce(application: Application, settings: Settings, at: tuple[str, int], pages: int | None, state: str) -> None:
    host, port = at
    address = f"http://{host}:{port}"
    embedded = [name for name, url in (("PostgreSQL", settings.database_url), ("Chroma", settings.chroma_url)) if url is None]
    where = f"{' and '.join(embedded)} run inside {Path(settings.data_dir).resolve()}" if embedded else "external servers"
    typer.secho(f"\n  Docent {version('docent')} is ready at {address}", fg="green", bold=True)
    if pages is not None:
        typer.echo(f"  In a browser  http://{host}:{pages}{state}")
    typer.echo(f"  API docs   {address}/docs" if settings.docs_served else "  API docs   off (DOCS_ENABLED)")
    typer.echo(f"  Answers    {application.chat}")
    typer.echo(f"  Embedder   {application.embedder}")
    typer.echo(f"  Data       {where}")
    typer.echo("  Stop with Ctrl-C.\n")


def make_server(settings: Settings) -> DocentServer:
    """Return the server with the application loaded, ready to run."""
    config = uvicorn.Config(
        APPLICATION,
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
    return DocentServer(config, settings)
