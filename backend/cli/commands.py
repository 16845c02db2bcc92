"""The command's root, and how it tells people what is wrong."""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError

from backend.core.config import Settings
from backend.core.errors import ConfigurationError, DocentError
from backend.core.imports import at_once

if TYPE_CHECKING:
    from backend.bootstrap.application import Application

app = typer.Typer(
    name="docent",
    help="Answers questions from your documents, with sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # They hold passwords and people's texts.
)


def read_settings() -> Settings:
    """Return the settings from the environment and ``.env``; on a wrong one, say which and exit with 2."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            typer.secho(f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", err=True, fg="red")
        raise typer.Exit(2) from error


def check(settings: Settings, *, serving: bool = False) -> None:
    """Look at the settings before anything is started; on what cannot work or is not safe, say so and exit with 2.

    With ``serving``, also at what an API process alone needs.
    """
    try:
        settings.check()
        if serving:
            settings.check_frontend()
    except ConfigurationError as error:
        typer.secho(error.message, err=True, fg="red")
        raise typer.Exit(2) from error


def open_application(settings: Settings, *, attach: bool = False) -> AbstractAsyncContextManager["Application"]:
    """Open the product for a command; see ``backend.bootstrap.application.open_application``.

    Settings that cannot work end it with exit code 2. Imported here, so that help, and what is wrong with a command, need not wait
    for all that the product is made of.
    """
    check(settings)
    with at_once():
        from backend.bootstrap import application  # noqa: PLC0415 - a second of imports

    return application.open_application(settings, attach=attach)


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run a command to its end. A situation that has a name ends it with one sentence and exit code 1, not with a traceback.

    SIGTERM ends it as Ctrl-C does: what it has started and made is cleared away first.
    """
    try:
        with sentences():
            code = asyncio.run(_until_told_to_stop(work))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)
    if code:
        raise typer.Exit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn a situation that has a name into its sentence and exit code 1."""
    try:
        yield
    except DocentError as error:
        typer.secho(error.message, err=True, fg="red")
        raise typer.Exit(1) from error


async def _until_told_to_stop(work: Coroutine[Any, Any, int | None]) -> int | None:
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
