"""``docent ask``: files and a question in, an answer with its sources out. No server, no account, nothing left behind."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from backend.bootstrap.application import open_application
from backend.cli.commands import app, read_settings, run
from backend.core.config import Settings
from backend.core.errors import DocentError
from backend.core.logging import configure_logging
from backend.core.values.chat import Answer, Question
from backend.core.values.document import Upload
from backend.services.answering.events import Delta, Done, Failed
from backend.services.registry import Services

PIECE_BYTES = 1 << 20


@app.command()
def ask(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="The documents to answer from.")],
    question: Annotated[str, typer.Option("--question", "-q", help="What to ask.")],
) -> None:
    """Answer a question from files: in-process, with a temporary data folder, without HTTP."""
    configure_logging("error", "auto")
    with tempfile.TemporaryDirectory(prefix="docent-ask-") as folder:
        run(_ask(_private(read_settings(), Path(folder)), files, question))


def _private(settings: Settings, folder: Path) -> Settings:
    """Keep the settings of models and parsers; data of a configured installation is neither used nor touched."""
    changes = {
        "data_dir": folder,
        "database_url": None,
        "database_owner_url": None,
        "chroma_url": None,
        "blob_url": None,
        "environment": "development",
        "registration_open": True,
        "chat_titles": "off",
    }
    return settings.model_copy(update=changes)


async def _ask(settings: Settings, files: list[Path], question: str) -> int:
    async with open_application(settings) as application:
        services = application.services
        user = await services.accounts.register(username="you", email="you@localhost.invalid", password="-" * 24, full_name=None)
        if not [file for file in files if await _index(services, user.id, file)]:
            return 1
        typer.secho(f"{application.chat}\n", err=True, dim=True)
        turn = await services.chat.ask(user.id, Question(question), streamed=True)
        while events := await turn.take():
            for event in events:
                match event:
                    case Delta():
                        typer.echo(event.text, nl=False)
                    case Done():
                        _print_sources(event.answer)
                    case Failed():
                        raise event.error
    return 0


async def _index(services: Services, owner_id: UUID, file: Path) -> bool:
    """Index a file, say how that went, and return whether it can be asked about."""
    try:
        document = await services.documents.upload(owner_id, Upload(file.name, None, _pieces(file)))
    except DocentError as error:
        raise type(error)(f"{file.name}: {error.message}") from error
    await services.documents.index(owner_id, document.id)
    document = await services.documents.get(owner_id, document.id)
    ready = document.status == "ready"
    note = f"{document.chunks} passages" if ready else document.error_message or document.waiting_for
    typer.secho(f"{file.name}: {document.status}, {note}", err=True, fg=None if ready else "red")
    return ready


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece


def _print_sources(answer: Answer) -> None:
    typer.echo()
    cited = [source for source in answer.sources if source.cited]
    for source in cited:
        page = f", page {source.page}" if source.page else ""
        typer.secho(f"\n[{source.marker}] {source.title}{page} ({source.start}-{source.end})", bold=True)
        typer.echo(f"    {' '.join(source.quote.split())}")
    typer.secho(f"\n{answer.answer_status}", err=True, dim=True)
