"""The command's root, and how it tells people what is wrong."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import typer
from pydantic import ValidationError

from backend.core.config import Settings
from backend.core.errors import DocentError

app = typer.Typer(
    name="docent", help="Answers questions from your documents, with sources.", no_args_is_help=True, add_completion=False
)


def read_settings(**overrides: Any) -> Settings:  # noqa: ANN401 - the settings' own types
    """Return the settings from the environment and ``.env``; on a wrong one, say which and exit with 2."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        for problem in error.errors():
            typer.secho(f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", err=True, fg="red")
        raise typer.Exit(2) from error


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run a command to its end. A situation that has a name ends it with one sentence and exit code 1, not with a traceback."""
    try:
        code = asyncio.run(work)
    except DocentError as error:
        typer.secho(error.message, err=True, fg="red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        sys.exit(130)
    if code:
        raise typer.Exit(code)
