"""The processes of the topology, each of which can be ended and started again at its address."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

from backend.adapters.servers.processes import Program, end, spawn

Answers = Callable[[str], Awaitable[bool]]
"""Tells whether a process is at work, given what it has said since its start."""

_START_SECONDS = 120.0
_LOOK_SECONDS = 0.03
_TAIL_LINES = 30


class MemberNotStartedError(RuntimeError):
    """A process ended at its start, or did not answer. The message ends with the last lines that it said."""


class Member:
    """One process. It ends with the process that made it, whatever ends that.

    ``url`` is where it answers, and the same after each start; a worker has none.
    """

    def __init__(self, program: Program, lock: int, answers: Answers, url: str | None = None) -> None:
        self.name = program.name
        self.url = url
        self._program = program
        self._lock = lock
        self._answers = answers
        self._process: Process | None = None
        self._first = self._last = _size(program.log)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The id of the process itself, and not of the one that watches over it. Linux alone tells.

        Raises:
            ProcessLookupError: It does not run.
        """
        if self._process is not None and self._process.returncode is None:
            watcher = self._process.pid
            for child in Path(f"/proc/{watcher}/task/{watcher}/children").read_text().split():
                return int(child)
        raise ProcessLookupError(f"{self.name} does not run")

    @property
    def lines(self) -> list[str]:
        """What it has said so far, over all of its starts."""
        return self._said(self._first).splitlines(keepends=True)

    async def start(self) -> None:
        """Start it, if it does not run, and wait until it answers.

        Raises:
            MemberNotStartedError: It ended meanwhile, or did not answer within two minutes.
        """
        if self.alive:
            return
        self._last = _size(self._program.log)
        self._process = process = await spawn(self._program, self._lock)
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await self._answers(self._said(self._last)):
            if process.returncode is not None:
                raise MemberNotStartedError(f"{self.name} ended at its start:\n{self._tail()}")
            if asyncio.get_running_loop().time() > deadline:
                raise MemberNotStartedError(f"{self.name} does not answer:\n{self._tail()}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def kill(self) -> None:
        """End it as a crash does (SIGKILL), and wait until nothing of it is left."""
        await self._signalled(signal.SIGKILL)

    async def stop(self) -> None:
        """End it as an operator does, and wait for as long as it takes."""
        await self._signalled(self._program.stop)

    async def end(self) -> None:
        """End it in order if it can be, and with more force after 20 seconds; return when it is gone."""
        if self._process is not None:
            await end(self._process)

    async def _signalled(self, number: signal.Signals) -> None:
        process = self._process
        while process is not None and process.returncode is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:  # It has not begun yet, or has just ended.
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                await process.wait()

    def _said(self, since: int) -> str:
        if not self._program.log.exists():
            return ""
        with self._program.log.open("rb") as log:
            log.seek(since if since <= _size(self._program.log) else 0)  # A log that grew too large was put aside.
            return log.read().decode(errors="replace")

    def _tail(self) -> str:
        return "\n".join(self._said(self._last).splitlines()[-_TAIL_LINES:])


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
