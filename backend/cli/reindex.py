"""``docent reindex``: another embedding model, or a new vector index from what PostgreSQL has."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli.commands import app, open_application, read_settings, run
from backend.core.config import EmbedderName, Settings
from backend.core.logging import configure_logging

if TYPE_CHECKING:
    from backend.bootstrap.application import Application

GLANCE_SECONDS = 2.0
UNFINISHED = "It goes on where it stopped as soon as Docent runs, or when this command is given again."


@app.command()
def reindex(
    embedder: Annotated[
        EmbedderName | None,
        typer.Option(help="Embed everything anew with this embedder, beside the present one."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Its model; else EMBEDDING_MODEL.")] = None,
    drop_old: Annotated[bool, typer.Option("--drop-old", help="Remove the vectors that no answer comes from any more.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = True,
) -> None:
    """Rebuild the vector index from PostgreSQL, embedding nothing; or change the embedding model.

    Questions are answered all the time: by the old vectors until the new ones of an owner are complete, and never by both.
    """
    if model is not None and embedder is None:
        raise typer.BadParameter("--model needs --embedder.")
    settings = read_settings()
    configure_logging("error", settings.log_format)
    name = None if embedder is None else embedder if embedder == "hashing" else f"{embedder}/{model or settings.embedding_model}"
    run(_reindex(settings, name, drop_old=drop_old, wait=wait))


async def _reindex(settings: Settings, name: str | None, *, drop_old: bool, wait: bool) -> None:
    async with open_application(settings, attach=True) as application:
        if drop_old:
            typer.echo(f"Old vectors removed: {await application.services.reindexing.drop_old()} generations.")
        elif name is None:
            await _rebuild(application, wait=wait)
        else:
            await _change(application, settings, name, wait=wait)


async def _rebuild(application: "Application", *, wait: bool) -> None:
    service = application.services.reindexing
    collections = await service.rebuild()
    typer.echo(f"Collections to rebuild from PostgreSQL: {collections}.")
    if not wait:
        return
    # Beside a running Docent this worker helps with what the queue holds; alone it does all of it.
    async with application.worker.running(alone=application.exclusive):
        told = collections
        while left := await service.rebuilding():
            told = _tell(left, told)
            await asyncio.sleep(GLANCE_SECONDS)
    typer.secho("Done.", fg="green")


async def _change(application: "Application", settings: Settings, name: str, *, wait: bool) -> None:
    service = application.services.reindexing
    state = await service.change(name)
    typer.echo(f"{state.embedder}: {state.chunks_missing} passages of {state.owners} owners to embed.")
    if wait:
        told = state.chunks_missing
        async with application.worker.running(alone=application.exclusive):
            while not (state := await service.state()).complete:
                told = _tell(state.chunks_missing, told)
                await asyncio.sleep(GLANCE_SECONDS)
        typer.secho("Done: every answer comes from the new vectors.", fg="green")
        if state.retired:
            typer.echo("The old ones are kept until `docent reindex --drop-old`.")
    else:
        typer.echo(UNFINISHED)
    wanted, _, model = name.partition("/")
    chosen_by_itself = settings.embedder == "auto" and wanted != "onnx"
    if not (chosen_by_itself or settings.embedder == wanted) or (model and model != settings.embedding_model):
        typer.echo("Let EMBEDDER and EMBEDDING_MODEL say the same from now on.")


def _tell(left: int, told: int) -> int:
    """Say how much is left, if it is news."""
    if left != told:
        typer.echo(f"  {left} to go", err=True)
    return left
