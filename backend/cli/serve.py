"""``docent serve``, ``docent worker`` and ``docent ui``: the processes that stay."""

import asyncio
import os
import signal
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.commands import app, check, open_application, read_settings, run, sentences
from backend.core.config import Settings
from backend.core.imports import at_once
from backend.core.logging import configure_logging


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; else HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on, 0 for a free one; else PORT.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the data lives; else DATA_DIR.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many API processes share the address; else API_PROCESSES.")] = None,
) -> None:
    """Run the API, with everything it needs that is not configured elsewhere."""
    for name, value in (("HOST", host), ("PORT", port), ("DATA_DIR", data_dir), ("API_PROCESSES", workers)):
        if value is not None:
            os.environ[name] = str(value)  # The application reads the settings for itself.
    settings = read_settings()
    check(settings, serving=True)
    configure_logging(settings.log_level, settings.log_format)
    with closing(_bound(settings)) as listener, sentences():
        with at_once():
            from backend.bootstrap.pages import check_pages  # noqa: PLC0415 - no other command needs it

            check_pages(settings, listener.getsockname()[1])
        if settings.api_processes > 1:
            with at_once():
                from backend.cli.processes.serving import serve_with_processes  # noqa: PLC0415 - a second of imports

            run(serve_with_processes(settings, listener))
            return
        with at_once():
            from backend.cli.server import make_server  # noqa: PLC0415 - nor the web floor

            server = make_server(settings)
        server.run([listener])


def _bound(settings: Settings) -> socket.socket:
    """Take the address before anything is started, so that one which is taken is known at once. Nobody is let in yet."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        where = f"{settings.host}, port {settings.port}"
        typer.secho(f"Docent cannot listen on {where}: {error.strerror}. Choose another HOST or PORT.", err=True, fg="red")
        raise typer.Exit(1) from error
    return listener


@app.command()
def worker() -> None:
    """Run a worker alone, for the scaled shape: it indexes and answers what the API processes accept."""
    settings = read_settings()
    configure_logging(settings.log_level, settings.log_format)
    run(_work(settings))


@app.command()
def ui() -> None:
    """Run the user interface alone, for the scaled shape: its API is at UI_API_URL."""
    settings = read_settings()
    check(settings)
    with sentences(), at_once():
        from backend.bootstrap.pages import become_pages  # noqa: PLC0415 - no other command needs it

        become_pages(settings)


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with ExitStack() as stack:
        if settings.metrics_port is not None:
            from backend.bootstrap.metrics import measuring  # noqa: PLC0415 - only where somebody scrapes

            stack.enter_context(measuring(settings, port=settings.metrics_port))
        from backend.bootstrap.tracing import traced  # noqa: PLC0415 - no other command traces

        stack.enter_context(traced(settings))
        await _take_jobs(settings, stop)


async def _take_jobs(settings: Settings, stop: asyncio.Event) -> None:
    async with (
        open_application(settings, attach=True) as application,
        # Answers that it gives can be stopped from other processes.
        application.listener.running(),
        application.worker.running(alone=False),
    ):
        typer.echo("Docent's worker is ready.")
        await stop.wait()
