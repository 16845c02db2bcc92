"""``docent check``: whether PostgreSQL, the vector index and the stored files agree."""

from time import monotonic
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from backend.cli.commands import app, open_application, read_settings, run
from backend.core.config import Settings
from backend.core.logging import configure_logging
from backend.core.values.defect import Compared, Defect

if TYPE_CHECKING:
    from backend.bootstrap.application import Application
    from backend.services.registry import Services


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is wrong.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every stored file, and not only its size.")] = False,
    owner: Annotated[str | None, typer.Option("--owner", metavar="USERNAME", help="Look at one account only.")] = None,
) -> None:
    """Compare the database, the vector index and the files, beside a running Docent or alone. Exits with 1 if they disagree."""
    configure_logging("error", "auto")
    run(_check(read_settings(), repair=repair, deep=deep, owner=owner))


async def _check(settings: Settings, *, repair: bool, deep: bool, owner: str | None) -> int:
    begun, compared = monotonic(), Compared()
    async with open_application(settings, attach=True) as application:
        names: dict[UUID, str] = {}
        defects = []
        async for defect in application.services.consistency.check(compared, username=owner, deep=deep):
            await _print(application.services, defect, names)
            defects.append(defect)
        left = await _repair(application, defects, deep=deep, owner=owner) if repair and defects else defects
        for defect in left if repair else ():
            typer.secho("Not mended:", fg="red", nl=False)
            typer.echo(" ", nl=False)
            await _print(application.services, defect, names)
    typer.echo(
        f"Compared {compared.owners} owners, {compared.documents} documents, {compared.chunks} chunks, {compared.vectors} vectors "
        f"and {compared.files} files in {monotonic() - begun:.1f} seconds."
    )
    mended = f", {len(left)} of them not mended" if repair and left else ", all mended" if repair and defects else ""
    typer.secho(f"Defects: {len(defects)}{mended}", fg="red" if left else "green")
    return 1 if left else 0


async def _repair(application: "Application", defects: list[Defect], *, deep: bool, owner: str | None) -> list[Defect]:
    """Mend, and return what is left.

    The work of jobs is done here as well, for no other worker may be running. The queue sees to it that no two do the same.
    """
    async with application.worker.running(alone=application.exclusive):
        return await application.services.consistency.repair(defects, username=owner, deep=deep)


async def _print(services: "Services", defect: Defect, names: dict[UUID, str]) -> None:
    if defect.owner_id is not None and defect.owner_id not in names:
        names[defect.owner_id] = await services.consistency.name_of(defect.owner_id)
    name = "-" if defect.owner_id is None else names[defect.owner_id]
    typer.echo(f"{defect.kind}  {name}  {defect.subject}  {defect.sentence}")
