"""``make scaled``: start the topology, say what runs where, and end it with Ctrl-C."""

import argparse
import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from backend.adapters.servers.private_files import write_private
from backend.core.config import Settings
from backend.core.errors import DocentError
from deploy.scaled.members import MemberNotStartedError
from deploy.scaled.topology import DOCENT, Scaled, scaled

OURS = {
    "host",
    "port",
    "data_dir",
    "database_url",
    "database_owner_url",
    "chroma_url",
    "redis_url",
    "secret_key",
    "worker",
    "ui_enabled",
}
"""Settings that the topology decides."""


def main() -> int:
    """Run it until it is told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.scaled", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("data/scaled"), help="where everything lives (data/scaled)")
    parser.add_argument("--apis", type=int, default=2, help="API processes (2)")
    parser.add_argument("--workers", type=int, default=2, help="workers (2)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="of the balancer (PORT, or 8000)")
    parser.add_argument("--no-ui", action="store_true", help="without the user interface")
    chosen = parser.parse_args()
    try:
        asyncio.run(_run(chosen))
    except (DocentError, MemberNotStartedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    return 0


async def _run(chosen: argparse.Namespace) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine always runs in one
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    given: dict[str, Any] = {
        name: os.environ[name.upper()] for name in set(Settings.model_fields) - OURS if os.environ.get(name.upper())
    }
    sys.stdout.write("  Starting ...\n")
    pages = not chosen.no_ui
    async with scaled(chosen.folder, apis=chosen.apis, workers=chosen.workers, ui=pages, port=chosen.port, **given) as topology:
        sys.stdout.write(_told(topology, given))
        sys.stdout.flush()
        await asyncio.Event().wait()


def _told(topology: Scaled, given: dict[str, str]) -> str:
    """Return what runs where. The settings, with their secrets, go into a file that its owner alone reads."""
    settings = topology.folder / "environment"
    write_private(settings, "".join(f"{name}={shlex.quote(value)}\n" for name, value in topology.environment.items()))
    rows = [f"  {member.name:<10} {member.url or 'takes jobs':<42} process {member.pid}" for member in topology.members]
    browser = [f"  In a browser  {topology.ui.url}"] if topology.ui is not None else []
    without = (
        []
        if topology.redis is not None
        else ["  redis      not installed: each process counts for itself, and resumes its own answers"]
    )
    answers = given.get("chat_provider", "extractive (CHAT_PROVIDER=ollama EMBEDDER=ollama for a model)")
    lines = [
        "",
        f"  Docent, scaled, is ready at {topology.url}",
        *browser,
        *rows,
        *without,
        f"  Answers    {answers}",
        f"  Data       {topology.folder}, what they say in its logs/",
        f"  Commands   (set -a; . {settings}; {DOCENT} doctor)",
        "  Stop with Ctrl-C.",
        "",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
