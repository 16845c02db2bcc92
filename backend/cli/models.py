"""``docent models``: what Ollama has, and getting more. It needs no running Docent."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated

import typer

from backend.cli.commands import app, read_settings, run
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.ports.chat_model import ModelDetails
from backend.ports.model_library import ModelLibrary

models = typer.Typer(help="List, pull, show and remove the models of Ollama.", no_args_is_help=True)
app.add_typer(models, name="models")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Such as llama3.2:1b.")]


@models.command("list")
def list_all() -> None:
    """List the models that Ollama has."""
    configure_logging("error", "auto")
    run(_list(read_settings()))


@models.command()
def pull(name: Name) -> None:
    """Get a model, or its newest version. An interrupted pull goes on where it was."""
    configure_logging("error", "auto")
    run(_pull(read_settings(), name))


@models.command()
def show(name: Name) -> None:
    """Tell what is known of a model."""
    configure_logging("error", "auto")
    run(_show(read_settings(), name))


@models.command()
def remove(name: Name) -> None:
    """Remove a model from Ollama."""
    configure_logging("error", "auto")
    run(_remove(read_settings(), name))


@asynccontextmanager
async def open_library(settings: Settings) -> AsyncIterator[ModelLibrary]:
    """See ``backend.bootstrap.library.open_library``."""
    from backend.bootstrap import library  # noqa: PLC0415 - what it is made of is slow to import, and other commands need none of it

    async with library.open_library(settings) as opened:
        yield opened


async def _list(settings: Settings) -> None:
    async with open_library(settings) as library:
        found = await library.models()
    if not found:
        typer.echo(f"Ollama has no models yet. Get one with: docent models pull {settings.chat_model}")
        return
    rows = [tuple(_words(found[0])), *(tuple(_words(each).values()) for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        # Never cut: the names are there to be copied, and to be read by other programs.
        typer.echo("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())


async def _show(settings: Settings, name: str) -> None:
    async with open_library(settings) as library:
        details = await library.show(name)
    for title, word in _words(details).items():
        typer.echo(f"{title:<14}{word}")


async def _remove(settings: Settings, name: str) -> None:
    async with open_library(settings) as library:
        await library.remove(name)
    typer.echo(f"{name} was removed.")


async def _pull(settings: Settings, name: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import, and no other command needs it
    from rich.progress import (  # noqa: PLC0415 - the same
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bars: dict[str, TaskID] = {}
    said = ""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    async with open_library(settings) as library:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            async with aclosing(library.pull(name)) as steps:
                async for step in steps:
                    if step.layer is None or step.total is None:
                        if step.status != said:
                            progress.console.print(step.status, highlight=False)
                        said = step.status
                        continue
                    if step.layer not in bars:
                        bars[step.layer] = progress.add_task(step.layer.removeprefix("sha256:")[:12], total=step.total)
                    progress.update(bars[step.layer], total=step.total, completed=step.completed)
    typer.echo(f"{name} is there.")


def _words(details: ModelDetails) -> dict[str, str]:
    return {
        "Name": details.name,
        "Size": "" if details.size is None else f"{details.size / 1e9:.1f} GB",
        "Parameters": details.parameters or "",
        "Quantization": details.quantization or "",
        "Family": details.family or "",
        "Window": f"{details.context_window:,}",
        "Capabilities": ", ".join(sorted(details.capabilities)),
    }
