"""A question while it is being answered."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from backend.core.values.chat import Answer, MessageStatus, PendingDocument, Question
from backend.ports.chat_model import Generation
from backend.ports.chat_model import Turn as PromptTurn
from backend.services.answering.events import Delta, Done, Event, Failed, Rest
from backend.services.channel import Channel, Reader


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that is needed to answer it, stored unless its answer is not ``kept``: of that only the usage is noted.

    ``arrived`` is of ``time.perf_counter``. ``history`` is the end of the conversation, and ``unread_messages`` counts those before
    it. ``replaces`` is the earlier answer whose place this one is to take. An ``untitled`` session may be given a title.
    ``wishes`` is what the program says that asks for somebody, and ``generation`` what it sets besides the question's own settings.
    """

    owner_id: UUID
    session_id: UUID
    message_id: UUID
    question: Question
    model: str
    within: tuple[UUID, ...] | None
    ready: bool
    pending_documents: tuple[PendingDocument, ...]
    history: tuple[PromptTurn, ...]
    arrived: float
    idempotency_key: str | None = None
    strict: bool = False
    unread_messages: int = 0
    replaces: UUID | None = None
    untitled: bool = False
    kept: bool = True
    wishes: str = ""
    generation: Generation = field(default_factory=lambda: Generation("", 0))

    @property
    def gauged(self) -> str:
        """What the estimates of its tokens are corrected by: the owner's earlier prompts to this model."""
        return f"{self.owner_id} {self.model}"


class TurnReader:
    """Somebody who reads a turn that runs in this process."""

    def __init__(self, turn: "Turn", after: int) -> None:
        self._turn = turn
        self._reader = Reader(turn.channel)
        self._rest = Rest(after)

    async def opened(self, seconds: float) -> None:
        """Return at once: who goes on reading knows that it has begun."""

    async def take(self) -> list[Event]:
        """Return the next events; an empty list after the last one."""
        while events := await self._reader.take():
            if rest := self._rest.of(events):
                return rest
        return []

    def leave(self) -> None:
        """Say that this reader is gone."""
        self._turn.part(self)


@dataclass(slots=True)
class Turn:
    """A running turn as those see it who read it. Its generation runs in a task of its own, whatever becomes of them.

    Once nobody reads it any more, the generation ends: at once, or if it is ``resumable``, after ``grace_seconds`` in which nobody
    came back, here or in another process. A turn that is not streamed is read by whoever waits for its ``answer``.
    """

    asked: Asked
    channel: Channel[Event]
    streamed: bool
    grace_seconds: float = 0.0
    interruption: MessageStatus | None = None
    written_by: str | None = None
    generation: "asyncio.Task[None] | None" = None
    parts: list[str] = field(default_factory=list)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)
    _outcome: "asyncio.Future[Done | Failed]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _readers: set[TurnReader] = field(default_factory=set)
    _first: TurnReader = field(init=False)
    _grace: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self._first = self.join()

    @property
    def resumable(self) -> bool:
        """Whether it outlives its readers for a while."""
        return self.streamed and self.asked.question.resumable

    # --- for those who read it ----------------------------------------------------------------------------------------
    def join(self, *, after: int = 0) -> TurnReader:
        """Return a reader of what comes after the event of this number; only a resumable turn can have more than the first one."""
        reader = TurnReader(self, after)
        self._readers.add(reader)
        self._forgo_grace()
        return reader

    def part(self, reader: TurnReader) -> None:
        """Let a reader go; the last one takes the generation along, once its grace is over."""
        if reader not in self._readers:
            return
        self._readers.remove(reader)
        if self._readers or self.ended:
            return
        if self.resumable:
            self._begin_grace()
        else:
            self.channel.abandon()
            self.interrupt("stopped")

    def keep(self) -> None:
        """Begin its grace anew if that has begun: somebody reads it in another process."""
        if self._grace is not None:
            self._begin_grace()

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
        """Return the next events for the reader that it began with; an empty list after the last one."""
        return await self._first.take()

    def leave(self) -> None:
        """Say that the reader is gone that it began with."""
        self.part(self._first)

    async def settled(self) -> None:
        """Return once its answer is stored, or could not be."""
        await asyncio.wait([self._outcome])

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
        """End the generation now, or as soon as it begins. What was said is stored under this status."""
        if self.interruption is None and (self.generation is None or not self.generation.done()):
            self.interruption = status
            if self.generation is not None:
                self.generation.cancel()

    # --- for the pipeline ---------------------------------------------------------------------------------------------
    def emit(self, event: Event) -> None:
        """Hand an event to those who read, if anybody does."""
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
        self._forgo_grace()
        self._outcome.set_result(outcome)
        self.emit(outcome)
        self._opened.set()
        self.channel.close()

    def _begin_grace(self) -> None:
        self._forgo_grace()
        self._grace = asyncio.get_running_loop().call_later(self.grace_seconds, self.interrupt, "stopped")

    def _forgo_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
