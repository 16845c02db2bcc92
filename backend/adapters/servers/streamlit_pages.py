"""The user interface as a child process: Streamlit's server, with the pages of the folder ``ui``."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path

from backend.adapters.servers.private_files import LOOPBACK, prepare_data_folder
from backend.adapters.servers.processes import Program, kept_running, plain_environment, spawn
from backend.core.errors import ConfigurationError

_ROOT = Path(__file__).resolve().parents[3]
_PACKAGED = Path(__file__).resolve().parents[2] / "_ui"
_MEGABYTE = 1 << 20
"""Streamlit's."""
_PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "TZ")
_FIXED = {
    "STREAMLIT_SERVER_ENABLE_CORS": "true",  # It means the protection: a page of another origin opens no session.
    "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "true",
    "STREAMLIT_SERVER_ENABLE_STATIC_SERVING": "false",
    "STREAMLIT_SERVER_ENABLE_AGENT_API": "false",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    # Told its address, it does not ask a server on the internet for it.
    "STREAMLIT_BROWSER_SERVER_ADDRESS": "localhost",
}


@dataclass(frozen=True, slots=True)
class PagesAt:
    """Where the pages listen, and where they reach the API. ``public_api_url`` is where browsers do, if that is another host."""

    host: str
    port: int
    api_url: str
    public_api_url: str | None
    max_upload_bytes: int


def pages_installed() -> bool:
    """Return whether Streamlit is installed, and the pages are."""
    return find_spec("streamlit") is not None and _folder() is not None


def _folder() -> Path | None:
    """Return the folder that holds the package ``ui``: in a checkout, else in the wheel."""
    return next((root for root in (_PACKAGED, _ROOT) if (root / "ui" / "app.py").is_file()), None)


def command(at: PagesAt) -> tuple[Path, tuple[str, ...], Mapping[str, str]]:
    """Return the folder to start in, the command, and the environment to add. Streamlit's own settings come through.

    Raises:
        ConfigurationError: They are not installed.
    """
    root = _folder()
    if root is None or not pages_installed():
        raise ConfigurationError("The user interface is not installed: `make setup` does, or `uv sync --extra ui`.")
    own = {name: value for name, value in os.environ.items() if name.startswith("STREAMLIT_") or name in _PASSED_ON}
    environment = {
        **own,
        **_FIXED,
        "PYTHONPATH": str(root),
        "UI_API_URL": at.api_url,
        "STREAMLIT_SERVER_ADDRESS": at.host,
        "STREAMLIT_SERVER_PORT": str(at.port),
        "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(ceil(at.max_upload_bytes / _MEGABYTE)),
        **({"UI_PUBLIC_API_URL": at.public_api_url} if at.public_api_url else {}),
    }
    # -P: the folder that it starts in, which has its configuration, is no place to import from.
    return root / "ui", (sys.executable, "-P", "-m", "streamlit", "run", "server.py"), environment


@asynccontextmanager
async def streamlit_pages(data_dir: Path, at: PagesAt) -> AsyncIterator[None]:
    """Run the pages within the block; they answer about two seconds after it begins. Ended by whatever, they are started again.

    Raises:
        ConfigurationError: They are not installed, or cannot be started.
    """
    folder, words, environment = command(at)
    program = Program(
        name="ui",
        command=words,
        folder=folder,
        stop=signal.SIGTERM,
        log=prepare_data_folder(data_dir) / "logs" / "ui.log",
        environment=plain_environment(**environment),
    )
    # They hold nothing of the data folder, so its lock is not theirs to keep.
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        try:
            process = await spawn(program, nothing)
        except OSError as error:
            raise ConfigurationError(f"The user interface cannot be started: {error}.") from error
        async with kept_running(program, process, nothing):
            yield
    finally:
        os.close(nothing)


def on_this_machine(host: str) -> str:
    """Return the host by which a process of this machine reaches a server that listens on ``host``, as a URL writes it."""
    reached = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{reached}]" if ":" in reached else reached
