"""``docent doctor``: what is wrong with an installation, and how to mend it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from backend.cli.commands import app, read_settings, run
from backend.core.config import Settings
from backend.core.imports import at_once
from backend.core.logging import configure_logging
from backend.core.values.finding import FindingState

MARKS: dict[FindingState, tuple[str, str]] = {"fine": ("ok", "green"), "warning": ("warning", "yellow"), "wrong": ("WRONG", "red")}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line, for programs.")] = False,
) -> None:
    """Say what is wrong with this installation, and how to mend it. Exits with 1 if something cannot work."""
    configure_logging("error", "auto")
    run(_doctor(read_settings(), as_json=as_json))


async def _doctor(settings: Settings, *, as_json: bool) -> int:
    with at_once():
        from backend.bootstrap.diagnosis import examined  # noqa: PLC0415 - most of the product

    counted = dict.fromkeys(MARKS, 0)
    async for finding in examined(settings):
        counted[finding.state] += 1
        if as_json:
            typer.echo(json.dumps(asdict(finding)))
            continue
        mark, color = MARKS[finding.state]
        typer.secho(f"{mark:<8}", fg=color, nl=False, bold=finding.state != "fine")
        typer.echo(f"{finding.subject}: {finding.sentence}")
        if finding.state != "fine":
            typer.echo(f"        {finding.mend}")
    if not as_json:
        said = f"{counted['wrong']} wrong, {counted['warning']} warnings."
        typer.secho(
            said if counted["wrong"] or counted["warning"] else "Nothing is wrong.", fg="red" if counted["wrong"] else "green"
        )
    return 1 if counted["wrong"] else 0
