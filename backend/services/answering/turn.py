"""A question while it is being answered."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from backend.core.errors import UnavailableError
from backend.core.values.chat import Answer, MessageStatus, Question
from backend.ports.chat_model import Turn as PromptTurn
from backend.services.answering.channel import Channel
from backend.services.answering.events import Delta, Done, Event, Failed


@dataclass(frozen=True, slots=True)
class Asked:
    """A stored question with all that is needed to answer it. ``arrived`` is of ``time.perf_counter``.

    ``replaces`` is the earlier answer whose place this one is to take. An ``untitled`` session may be given a title.
    """

    owner_id: UUID
    session_id: UUID
    message_id: UUID
    question: Question
    model: str
    within: tuple[UUID, ...] | None
    ready: bool
    pending_document_ids: tuple[UUID, ...]
    history: tuple[PromptTurn, ...]
    arrived: float
    idempotency_key: str | None = None
    replaces: UUID | None = None
    untitled: bool = False


class ServerStoppingError(UnavailableError):
    """The server is being stopped and cannot wait for the rest of the answer."""

    code = "server_stopping"
    message = "The server was stopped before the answer was complete."


@dataclass(slots=True)
class Turn:
    """A running turn as its reader sees it. Its generation runs in a task of its own, whatever becomes of the reader."""

    asked: Asked
    channel: Channel
    streamed: bool
    interruption: MessageStatus | None = None
    generation: "asyncio.Task[None] | None" = None
    parts: list[str] = field(default_factory=list)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)
    _outcome: "asyncio.Future[Done | Failed]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    # --- for the reader -----------------------------------------------------------------------------------------------
    async def opened(self, seconds: float) -> None:
        """Return at the model's first piece, or after so many seconds without one.

        Raises:
            DocentError: The turn failed before its first piece: the caller can still be given a status instead of an event.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._opened.wait()
        except TimeoutError:
            return
        if self._outcome.done() and not self.parts:
            outcome = self._outcome.result()
            if isinstance(outcome, Failed):
                raise outcome.error

    async def take(self) -> list[Event]:
        """Return the next events; an empty list after the last one."""
        return await self.channel.take()

    async def answer(self) -> Answer:
        """Return the answer once it is stored, however it ended.

        Raises:
            DocentError: The turn failed. What the model had said by then is in the session, as ``incomplete``.
        """
        outcome = await asyncio.shield(self._outcome)
        if isinstance(outcome, Failed):
            raise outcome.error
        return outcome.answer

    def interrupt(self, status: Literal["stopped", "incomplete"]) -> None:
        """End the generation now. What was said is stored under this status."""
        if self.interruption is None and self.generation is not None and not self.generation.done():
            self.interruption = status
            self.generation.cancel()

    def leave(self) -> None:
        """Say that the reader is gone: nobody waits for the answer, so the model is freed."""
        self.channel.abandon()
        self.interrupt("stopped")

    # --- for the pipeline ---------------------------------------------------------------------------------------------
    def emit(self, event: Event) -> None:
        """Hand an event to the reader, if there is one."""
        if self.streamed:
            self.channel.push(event)

    def open(self) -> None:
        """Say that the model has begun."""
        self._opened.set()

    def say(self, text: str) -> None:
        """Add to the answer."""
        self.parts.append(text)
        self.emit(Delta(text))

    @property
    def ended(self) -> bool:
        """Whether it was said how it ended."""
        return self._outcome.done()

    def end(self, outcome: Done | Failed) -> None:
        """Say how it ended, once that is stored."""
        self._outcome.set_result(outcome)
        self.emit(outcome)
        self._opened.set()
        self.channel.close()
