"""One API process, as its parent sees it."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import structlog

from backend.cli.processes.charge import Charge
from backend.core.errors import ConfigurationError

COMMAND = (sys.executable, "-P", "-m", "backend.cli.processes.member")
READY_SECONDS = 120.0
"""How long one may take to listen: about two seconds, on a machine that has nothing else to do."""

log = structlog.get_logger(__name__)


class ApiProcess:
    """A process from its start to its end."""

    def __init__(self, number: int, process: Process) -> None:
        self.number = number
        self._process = process
        self._listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, number: int, charge: Callable[[int, int], Charge], listener: int) -> Self:
        """Start a process; ``charge`` makes its charge of its number and the descriptor that it reports to.

        Raises:
            OSError: The system has no room for it.
        """
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                pass_fds=(listener, writing),
                start_new_session=True,  # Ctrl-C in a terminal goes to the whole group; only the parent shall act on it.
            )
            started = cls(number, process)
            started._heard = asyncio.create_task(started._hear(reading), name=f"api-process-{number}")
            reading = -1
            started._write(charge(number, writing).line())
            return started
        finally:
            os.close(writing)
            if reading >= 0:
                os.close(reading)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ready(self) -> None:
        """Return when it listens.

        Raises:
            ConfigurationError: It could not start; the message says why, if that has a name.
        """
        try:
            async with asyncio.timeout(READY_SECONDS):
                await asyncio.shield(self._listening)
        except TimeoutError as error:
            raise ConfigurationError(f"An API process did not listen within {READY_SECONDS:.0f} seconds.") from error

    def retire(self) -> None:
        """Let it take no more connections, bring what it has to an end, and stop."""
        self._write(b"retire\n")

    def terminate(self) -> None:
        """Tell it to stop in order."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    async def ended(self, *, within: float | None = None) -> int:
        """Wait until it has ended and all that it had to say was heard, and return its exit code; after so long it is killed."""
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            log.warning("api_process_killed", pid=self.pid, after_seconds=within)
            self.kill()
        code = await self._process.wait()
        if self._heard is not None:
            await asyncio.wait([self._heard])
        return code

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def _write(self, line: bytes) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(line)

    async def _hear(self, reading: int) -> None:
        reader = asyncio.StreamReader()
        file = os.fdopen(reading, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        try:
            while line := (await reader.readline()).decode().strip():
                self._take(line)
        finally:
            transport.close()
        code = await self._process.wait()
        self._refuse(f"An API process ended at its start, with exit code {code}; its log says why.")

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "refused":
            self._refuse(json.loads(rest))
        elif not self._listening.done():
            self._listening.set_result(None)

    def _refuse(self, sentence: str) -> None:
        if not self._listening.done():
            self._listening.set_exception(ConfigurationError(sentence))
            self._listening.exception()  # Somebody may ask, or not.
