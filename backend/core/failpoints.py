"""Named places where tests make the product fail, sleep or die. Nothing is armed unless somebody asks for it."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Deed = Literal["raise", "sleep", "kill"]
DEEDS: Mapping[str, Deed] = {"raise": "raise", "sleep": "sleep", "kill": "kill"}

FAILPOINTS = (
    "upload.stored",  # The file is in the blob store, and no row names it.
    "upload.accepted",  # The row and its job are committed, and the client does not know it.
    "index.started",
    "index.parsed",
    "index.planned",  # The text is stored, and no chunk.
    "index.embedded",
    "index.stored",  # A batch is in PostgreSQL, and not in the vector index.
    "index.upserted",  # A batch is in the vector index, and PostgreSQL does not know it.
    "index.finishing",
    "index.ready",  # The document is live, and its job is not done.
    "tidy.vectors_removed",
    "purge.vectors_removed",
    "purge.rows_removed",
    "purge.file_removed",
    "build.embedded",
    "build.stored",
    "build.switching",
    "rebuild.filled",  # The new collection is complete, and the old one still answers.
    "rebuild.moved",
)


class FailpointError(Exception):
    """What an armed place raises: a defect, as far as the product can tell."""


@dataclass(slots=True)
class _Armed:
    deed: Deed
    seconds: float
    only: int
    """The only time that it acts, counted from 1; 0 for every time."""
    passed: int = field(default=0)


_armed: dict[str, _Armed] = {}


def arm(specification: str) -> None:
    """Arm places, and disarm all others: ``index.stored=kill; upload.stored=sleep:2; index.parsed=raise@3``.

    ``sleep`` takes seconds; ``@n`` acts at the nth time only, and without it every time. An empty text disarms all.

    Raises:
        ValueError: There is no such place or deed.
    """
    armed = {}
    for part in filter(None, (part.strip() for part in specification.split(";"))):
        name, _, wanted = part.partition("=")
        wanted, _, nth = wanted.partition("@")
        wanted, _, seconds = wanted.partition(":")
        if name not in FAILPOINTS or wanted not in DEEDS:
            raise ValueError(f"no such failpoint: {part}")
        armed[name] = _Armed(DEEDS[wanted], float(seconds or 0), int(nth or 0))
    _armed.clear()
    _armed.update(armed)


async def reach(name: str) -> None:
    """Do what was asked for at this place; mostly nothing."""
    if _armed and name in _armed:
        await _do(name, _armed[name])


async def _do(name: str, armed: _Armed) -> None:
    armed.passed += 1
    if armed.only not in (0, armed.passed):
        return
    if armed.deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif armed.deed == "sleep":
        await asyncio.sleep(armed.seconds)
    else:
        raise FailpointError(name)
