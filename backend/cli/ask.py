"""``docent ask``: files and a question in, an answer with its sources out. No server, no account, nothing left behind."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.commands import app, open_application, read_settings, run
from backend.cli.own_instance import index_file, private_settings
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.core.values.chat import Answer, Question


@app.command()
def ask(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="The documents to answer from.")],
    question: Annotated[str, typer.Option("--question", "-q", help="What to ask.")],
) -> None:
    """Answer a question from files: in-process, with a temporary data folder, without HTTP."""
    configure_logging("error", "auto")
    with tempfile.TemporaryDirectory(prefix="docent-ask-") as folder:
        run(_ask(private_settings(read_settings(), Path(folder)), files, question))


async def _ask(settings: Settings, files: list[Path], question: str) -> int:
    async with open_application(settings) as application:
        from backend.services.answering.events import Delta, Done, Failed  # noqa: PLC0415 - loaded by now

        services = application.services
        user = await services.accounts.register(username="you", email="you@localhost.invalid", password="-" * 24, full_name=None)
        if not [file for file in files if await index_file(services, user.id, file)]:
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


def _print_sources(answer: Answer) -> None:
    typer.echo()
    cited = [source for source in answer.sources if source.cited]
    for source in cited:
        page = f", page {source.page}" if source.page else ""
        typer.secho(f"\n[{source.marker}] {source.title}{page} ({source.start}-{source.end})", bold=True)
        typer.echo(f"    {' '.join(source.quote.split())}")
    typer.secho(f"\n{answer.answer_status}", err=True, dim=True)
