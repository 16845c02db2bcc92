"""What ``docent serve`` says once it answers."""

import socket
from importlib.metadata import version
from pathlib import Path

import typer

from backend.bootstrap.application import Application
from backend.core.config import Settings

PAGES_WITHIN_SECONDS = 10.0
"""How long the announcement waits for the pages, which are usually there within a second of the API."""


def address_of(listener: socket.socket) -> tuple[str, int]:
    """Return the host, as a URL writes it, and the port."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]" if ":" in host else host, port


def announce(
    application: Application, settings: Settings, at: tuple[str, int], pages: int | None, state: str, *, processes: int = 1
) -> None:
    """Print where it answers and what it is made of: what a person wants to know."""
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
    if processes > 1:
        typer.echo(f"  Processes  {processes} of the API; SIGHUP replaces them one after the other")
    typer.echo("  Stop with Ctrl-C.\n")
