"""The user interface beside the API, where the settings want it."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import NoReturn

from backend.adapters.servers.processes import plain_environment
from backend.adapters.servers.streamlit_pages import PagesAt, command, on_this_machine, pages_installed, streamlit_pages
from backend.core.config import Settings
from backend.core.errors import ConfigurationError

USUAL_PORT = 8501
"""Streamlit's own."""
LOOK_SECONDS = 0.05


def pages_wanted(settings: Settings) -> bool:
    """Return whether ``docent serve`` runs the pages as well."""
    if settings.ui_enabled is not None:
        return settings.ui_enabled
    elsewhere = settings.ui_url is not None or settings.frontend_dir is not None
    return not (settings.production or elsewhere) and pages_installed()


def check_pages(settings: Settings, api_port: int) -> None:
    """Look whether the pages can be run, if they are wanted, before anything else is started.

    Raises:
        ConfigurationError: They are not installed, or their port is taken.
    """
    if pages_wanted(settings):
        command(_at(settings, "", api_port))


@asynccontextmanager
async def open_pages(settings: Settings, api_port: int) -> AsyncIterator[int | None]:
    """Run the pages within the block, if they are wanted, and yield their port. They take about two seconds to answer.

    Raises:
        ConfigurationError: They are not installed, or their port is taken.
    """
    if not pages_wanted(settings):
        yield None
        return
    at = _at(settings, settings.ui_api_url or f"http://{on_this_machine(settings.host)}:{api_port}", api_port)
    async with streamlit_pages(settings.data_dir, at):
        yield at.port


async def pages_answer(settings: Settings, port: int, *, within: float, given_up: Callable[[], bool]) -> bool:
    """Wait for so many seconds, or until it is given up, for the pages to listen; return whether they do."""
    until = monotonic() + within
    # Their path may be another one: Streamlit has a setting for it. Streamlit listens once it can answer.
    host = on_this_machine(settings.host).strip("[]")
    while not given_up() and monotonic() < until:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


def become_pages(settings: Settings) -> NoReturn:
    """Turn this process into that of the pages, for the scaled shape.

    Raises:
        ConfigurationError: They are not installed, or their port is taken.
    """
    at = _at(settings, settings.ui_api_url or f"http://{on_this_machine(settings.host)}:{settings.port}", None)
    folder, words, environment = command(at)
    os.chdir(folder)
    os.execve(words[0], words, plain_environment(**environment))  # noqa: S606 - our own command, without a shell


def _at(settings: Settings, api_url: str, api_port: int | None) -> PagesAt:
    port = _port(settings.host, settings.ui_port, api_port)
    return PagesAt(settings.host, port, api_url, settings.ui_public_api_url, settings.max_upload_bytes)


def _port(host: str, wanted: int | None, of_the_api: int | None) -> int:
    """Return the port to listen on. That of the API is taken, though nobody may listen there yet."""
    if wanted and wanted == of_the_api:
        raise ConfigurationError(f"UI_PORT and PORT are both {wanted}. Choose another UI_PORT.")
    usual = 0 if of_the_api == USUAL_PORT else USUAL_PORT
    try:
        return _free(host, usual if wanted is None else wanted)
    except OSError as error:
        if wanted is None:
            return _free(host, 0)
        message = f"The user interface cannot listen on {host}, port {wanted}: {error.strerror}. Choose another UI_PORT."
        raise ConfigurationError(message) from error


def _free(host: str, port: int) -> int:
    """Return the port, or any if it is 0. Raises OSError if somebody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
