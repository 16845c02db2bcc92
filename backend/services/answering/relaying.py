"""Turns of this process, carried to the others as a reader hears them."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from uuid import UUID

import orjson
import structlog

from backend.core.errors import RelayUnavailableError
from backend.core.values.chat import Source
from backend.ports.relay import Relay, Relayed
from backend.services.answering.events import FOUND, STARTED, Delta, Event, Found, Started
from backend.services.answering.turn import Turn
from backend.services.channel import Reader

log = structlog.get_logger(__name__)

LAST_SECONDS = 2.0
"""How long a stop of the process waits for what is still to be relayed."""


class Relaying:
    """Relays turns, each in a task of its own. Without a relay it does nothing; one that is down never disturbs an answer."""

    def __init__(self, relay: Relay | None) -> None:
        self._relay = relay
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, turn: Turn) -> None:
        """Relay a turn that keeps its events, from its beginning."""
        if self._relay is not None:
            task = asyncio.create_task(_relay(self._relay, turn), name=f"relay-{turn.asked.message_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Return when all that was said is relayed, or given up."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_SECONDS)
            for task in late:
                task.cancel()


async def _relay(relay: Relay, turn: Turn) -> None:
    reader, numbered = Reader(turn.channel), _Numbered()
    try:
        while events := await reader.take():
            if pieces := list(numbered.pieces(events)):
                await relay.publish(turn.asked.message_id, pieces)
    except RelayUnavailableError as error:
        # What is missing now would be a gap: who reads elsewhere waits for the stored answer.
        log.warning("answer_not_relayed", message_id=str(turn.asked.message_id), reason=type(error.__cause__).__name__)


class _Numbered:
    """Turns the events of a turn into pieces. Deltas that have piled up become one."""

    def __init__(self) -> None:
        self._number = FOUND

    def pieces(self, events: Iterable[Event]) -> Iterator[Relayed]:
        spoken: list[str] = []
        for event in events:
            match event:
                case Started():
                    pass
                case Found(sources):
                    # The ids come from the database's driver, which has a UUID of its own.
                    yield Relayed(STARTED, FOUND, orjson.dumps([asdict(source) for source in sources], default=str).decode())
                case Delta(text):
                    spoken.append(text)
                case _:
                    yield from self._spoken(spoken)
                    yield Relayed(self._number, self._number + 1, "")
                    return
        yield from self._spoken(spoken)

    def _spoken(self, spoken: list[str]) -> Iterator[Relayed]:
        if text := "".join(spoken):
            before, self._number = self._number, self._number + len(text)
            yield Relayed(before, self._number, text)


def sources_of(piece: Relayed) -> tuple[Source, ...]:
    """Return the sources that were relayed as the event ``FOUND``."""
    return tuple(Source(**{**source, "document_id": UUID(source["document_id"])}) for source in orjson.loads(piece.data))
