"""``docent migrate``: work on the data, without serving."""

import typer

from backend.cli.commands import app, read_settings, run
from backend.core.config import Settings
from backend.core.logging import configure_logging


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this release. Safe to run from many places at once."""
    settings = read_settings()
    configure_logging("warning", settings.log_format)
    run(_migrate(settings))


async def _migrate(settings: Settings) -> None:
    from backend.bootstrap.application import migrate_database  # noqa: PLC0415 - a second of imports

    changed = await migrate_database(settings)
    typer.echo("The database was migrated." if changed else "The database is up to date.")
