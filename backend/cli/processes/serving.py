"""``docent serve`` with several API processes: the one that runs everything else."""

import asyncio
import os
import signal
import socket
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
import typer

from backend.bootstrap.application import open_application
from backend.bootstrap.metrics import Member, forget_member, measuring
from backend.bootstrap.pages import open_pages, pages_answer
from backend.cli.announcement import PAGES_WITHIN_SECONDS, address_of, announce
from backend.cli.processes.api_process import ApiProcess
from backend.cli.processes.charge import Charge, digests
from backend.cli.processes.fleet import Fleet
from backend.core.config import Settings
from backend.core.errors import DocentError
from backend.ports.metrics import MetricsExporter

MARGIN_SECONDS = 15.0
"""What a process may take to end beyond the grace time of its answers, which it may give twice."""

log = structlog.get_logger(__name__)


async def serve_with_processes(settings: Settings, listener: socket.socket) -> None:
    """Run the servers, the jobs, the pages and the API processes until SIGTERM or SIGINT; SIGHUP replaces the processes.

    Raises:
        DocentError: Something cannot start, for a reason that has a name.
    """
    loop = asyncio.get_running_loop()
    stopping, rolling = asyncio.Event(), asyncio.Event()
    working = asyncio.ensure_future(_serve(settings, listener, rolling, stopping))

    def stop() -> None:
        # The second time, what still waits for its end is not waited for.
        stopping.set()
        working.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    terminal = _has_terminal()
    loop.add_signal_handler(signal.SIGHUP, lambda: stop() if terminal and not _has_terminal() else rolling.set())
    try:
        await working
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise


async def _serve(settings: Settings, listener: socket.socket, rolling: asyncio.Event, stopping: asyncio.Event) -> None:
    port = int(listener.getsockname()[1])
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="docent-metrics-")))
        exporter = stack.enter_context(measuring(settings, beside=Member(0, folder)))
        application = await stack.enter_async_context(open_application(settings, exporter=exporter))
        await stack.enter_async_context(application.services.metrics.sharing())
        if settings.worker:
            await stack.enter_async_context(application.worker.running(alone=application.exclusive))
        await stack.enter_async_context(application.listener.running())
        pages = await stack.enter_async_context(open_pages(settings, port))
        fleet = _fleet(settings, listener, folder=folder, pages=pages, exporter=exporter)
        stack.push_async_callback(fleet.stop)
        # First of all: while the processes end, nobody is let in who would wait for ever.
        stack.callback(listener.close)
        if settings.redis_url is None:
            log.warning("processes_without_redis", processes=settings.api_processes, setting="REDIS_URL", limits="counted by each")
        await fleet.open()
        there = pages is None or await pages_answer(settings, pages, within=PAGES_WITHIN_SECONDS, given_up=stopping.is_set)
        state = "" if there else " (still starting)"
        announce(application, settings, address_of(listener), pages, state, processes=settings.api_processes)
        while True:
            await rolling.wait()
            rolling.clear()
            await _roll(fleet, settings.api_processes)


async def _roll(fleet: Fleet, processes: int) -> None:
    typer.echo(f"Replacing {processes} API processes, one after the other.")
    try:
        await fleet.roll()
    except (DocentError, OSError) as error:
        reason = error.message if isinstance(error, DocentError) else error.strerror
        log.error("processes_not_replaced", reason=reason)
        typer.echo(f"Not all API processes were replaced; the old ones go on. {reason}")
    else:
        typer.echo(f"All {processes} API processes are new.")


def _fleet(
    settings: Settings,
    listener: socket.socket,
    *,
    folder: Path,
    pages: int | None,
    exporter: MetricsExporter | None,
) -> Fleet:
    def charge(number: int, reports: int) -> Charge:
        embedded = settings.database_url is None
        return Charge(
            os.getpid(), number, listener.fileno(), reports, str(folder), pages, embedded=embedded, agreed=digests(settings)
        )

    async def start(number: int) -> ApiProcess:
        return await ApiProcess.start(number, charge, listener.fileno())

    def over(process: ApiProcess) -> None:
        forget_member(exporter, process.number)

    return Fleet(settings.api_processes, start, over, stop_seconds=2 * settings.shutdown_grace_seconds + MARGIN_SECONDS)


def _has_terminal() -> bool:
    """Return whether there is a terminal that may hang up."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
