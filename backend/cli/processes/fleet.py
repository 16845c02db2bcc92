"""All API processes of one address: keeping so many, and replacing them one after the other."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from backend.cli.processes.api_process import ApiProcess
from backend.core.errors import DocentError

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
HEALTHY_SECONDS = 60.0

log = structlog.get_logger(__name__)

Start = Callable[[int], Awaitable[ApiProcess]]
"""Starts a process with a number."""
Over = Callable[[ApiProcess], None]
"""Is called when a process has ended, however."""


class Fleet:
    """So many processes. One that dies is started again: after 0.1 s, twice as long each time up to 5 s.

    After a minute of health it is 0.1 s again. Numbers run from 1, and no two that live at the same time share one.
    ``stop_seconds`` is how long one may take to end.
    """

    def __init__(self, size: int, start: Start, over: Over, *, stop_seconds: float) -> None:
        self._size = size
        self._start = start
        self._over = over
        self._stop_seconds = stop_seconds
        self._places: list[ApiProcess] = []
        self._locks = [asyncio.Lock() for _ in range(size)]
        self._living: dict[int, tuple[ApiProcess, asyncio.Task[None]]] = {}
        self._numbers: set[int] = set()
        self._keepers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start all, and return when all listen.

        Raises:
            DocentError: One of them cannot start, for a reason that has a name. The others may have; ``stop`` them.
        """
        self._places = list(await asyncio.gather(*(self._started() for _ in range(self._size))))
        self._keepers = [asyncio.create_task(self._keep(place), name=f"keep-{place}") for place in range(self._size)]

    async def roll(self) -> None:
        """Replace each process by a new one: that listens first, then the old one brings to an end what it has begun.

        Raises:
            DocentError: A new one cannot start. Those that were not replaced go on.
            OSError: The same, for want of room.
        """
        for place in range(self._size):
            async with self._locks[place]:
                new = await self._started()
                old, self._places[place] = self._places[place], new
            old.retire()
            await old.ended(within=self._stop_seconds)

    async def stop(self) -> None:
        """Stop all, each in order if it can within its time; return when none is left."""
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers)
        living = list(self._living.values())
        for process, _ in living:
            process.terminate()
        try:
            await asyncio.gather(*(process.ended(within=self._stop_seconds) for process, _ in living))
        finally:
            # Of use only where somebody has no patience.
            for process, _ in living:
                process.kill()
        await asyncio.gather(*(reaping for _, reaping in living))

    async def _started(self) -> ApiProcess:
        number = next(number for number in range(1, 3 * self._size + 2) if number not in self._numbers)
        self._numbers.add(number)
        try:
            process = await self._start(number)
        except BaseException:
            self._numbers.discard(number)
            raise
        self._living[number] = (process, asyncio.create_task(self._reap(process), name=f"reap-{number}"))
        try:
            await process.ready()
        except BaseException:
            process.kill()
            raise
        return process

    async def _reap(self, process: ApiProcess) -> None:
        """See to what a process leaves behind, before another one may have its number."""
        await process.ended()
        try:
            self._over(process)
        finally:
            del self._living[process.number]
            self._numbers.discard(process.number)

    async def _keep(self, place: int) -> None:
        """Start the process of a place again whenever it ends without being replaced."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_SECONDS
        while True:
            process, since = self._places[place], loop.time()
            code = await process.ended()
            async with self._locks[place]:
                if self._places[place] is not process:
                    continue  # It was replaced.
                if loop.time() - since > HEALTHY_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                while self._places[place] is process:
                    log.warning("api_process_ended", pid=process.pid, status=code, restart_in_seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                    try:
                        self._places[place] = await self._started()
                    except (DocentError, OSError) as error:
                        log.warning("api_process_not_started", error=str(error))
