"""``docent backup`` and ``docent restore``: everything in one file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli.commands import app, read_settings, run
from backend.core.config import Settings
from backend.core.logging import configure_logging

if TYPE_CHECKING:
    from backend.services.backup.manifest import Summary

FILES_MISSING = 3
"""The exit code of a backup that was written, and lacks files that the store had lost before."""
MENTIONED = 20


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The new file; one that exists is never overwritten.")],
    without_vectors: Annotated[
        bool, typer.Option("--without-vectors", help="Leave the vectors out: smaller, but a restore has to embed again.")
    ] = False,
) -> None:
    """Write the database, the uploaded files and the secret key into one file, beside a running Docent or alone."""
    settings = read_settings()
    configure_logging("error", settings.log_format)
    run(_back_up(settings, file.expanduser().absolute(), with_vectors=not without_vectors))


async def _back_up(settings: Settings, file: Path, *, with_vectors: bool) -> int:
    from backend.bootstrap.backups import back_up  # noqa: PLC0415 - a second of imports

    done = await back_up(settings, file, with_vectors=with_vectors)
    typer.echo(f"Backed up {_told(done)} to {file} ({done.bytes:,} bytes) in {done.seconds:.1f} s.")
    if not with_vectors:
        typer.echo("The vectors were left out: after a restore the documents have to be embedded again.")
    if not done.secret_key:
        typer.echo("SECRET_KEY is a setting here, and is not in the backup: keep it, or everybody has to sign in again.")
    if not done.missing:
        return 0
    typer.secho(f"{len(done.missing):,} files were missing in the store, and are not in the backup:", err=True, fg="red")
    for key in done.missing[:MENTIONED]:
        typer.secho(f"  {key}", err=True, fg="red")
    if len(done.missing) > MENTIONED:
        typer.secho("  and so on; manifest.json in the backup names them all", err=True, fg="red")
    return FILES_MISSING


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="What `docent backup` wrote.")]) -> None:
    """Check a backup and restore it into an empty place: a new DATA_DIR, or an empty database and store of files."""
    settings = read_settings()
    configure_logging("error", settings.log_format)
    run(_restore(settings, file.expanduser().absolute()))


async def _restore(settings: Settings, file: Path) -> None:
    from backend.bootstrap.backups import restore  # noqa: PLC0415 - a second of imports

    done = await restore(settings, file)
    typer.echo(f"Restored {_told(done)}, as of {done.header.created_at:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s.")
    if not done.header.with_vectors:
        typer.echo("The backup has no vectors: until the documents are embedded again, they are found by words alone.")
    if done.secret_key and settings.secret_key is not None:
        typer.echo("The secret key of the backup was left out, because SECRET_KEY is set.")
    if done.missing:
        typer.secho(f"{len(done.missing):,} files were missing when the backup was written.", err=True, fg="red")


def _told(done: "Summary") -> str:
    return f"{done.users:,} accounts, {done.documents:,} documents, {done.files:,} files ({done.file_bytes:,} bytes)"
