"""Hearing what other processes say of answers and calls through PostgreSQL, on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import asyncpg
import structlog

from backend.core.config import plain_url
from backend.db.repositories.calls import CANCEL_CHANNEL
from backend.db.repositories.messages import FOLLOW_CHANNEL, STOP_CHANNEL

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 10.0
ALIVE_SECONDS = 30.0
"""How often the connection is tried: one that a firewall has forgotten says nothing by itself."""
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 15.0

Told = Callable[[UUID], object]


class AnswerListener:
    """Hears what concerns this process, and tells it.

    ``obey`` is told which answers shall stop, ``keep`` which ones are read elsewhere, ``cancel`` which calls are cancelled.
    While PostgreSQL is away nothing is heard, and it connects again.
    """

    def __init__(self, url: str, *, obey: Told, keep: Told, cancel: Told) -> None:
        self._url = plain_url(url)
        self._told = {STOP_CHANNEL: obey, FOLLOW_CHANNEL: keep, CANCEL_CHANNEL: cancel}
        self._pause = FIRST_PAUSE_SECONDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen within the block."""
        task = asyncio.create_task(self._listen(), name="answer-listener")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("not_listening", reason=type(error).__name__, again_in_seconds=self._pause)
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    async def _listen_once(self) -> None:
        """Listen until the connection is lost, which is an error."""
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=CONNECT_SECONDS,
            server_settings={"application_name": "docent answers"},
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._told:
                await connection.add_listener(channel, self._heard)
            self._pause = FIRST_PAUSE_SECONDS
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(ALIVE_SECONDS):
                        await lost.wait()
                await connection.execute("select 1")
        finally:
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        """Take an id, and nothing else: anybody who may connect to the database may say something here."""
        try:
            named = UUID(str(payload))
        except ValueError:
            return
        self._told[channel](named)
