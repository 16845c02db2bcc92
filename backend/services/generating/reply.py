"""Replies that are being generated, and what becomes of them."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Literal
from uuid import UUID

import structlog

from backend.core.errors import DocentError, ServerStoppingError
from backend.ports.chat_model import Finish, Generation, Piece, Prompt
from backend.rag.packing import TURN_TOKENS
from backend.rag.tokens import estimate_tokens
from backend.services.channel import Channel, Reader

log = structlog.get_logger(__name__)

ReplyStatus = Literal["complete", "incomplete", "stopped"]

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]+")
"""What models utter at times, and what neither JSON in UTF-8 nor PostgreSQL takes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants generated. ``options`` without a window: that is the model's. ``None`` for the server's own model.

    With ``writers_only`` an answerer that only quotes is refused, also as the fallback of one that writes.
    """

    owner_id: UUID
    prompt: Prompt
    model: str | None = None
    options: Generation = field(default_factory=lambda: Generation("", 0))
    writers_only: bool = False


@dataclass(frozen=True, slots=True)
class Generated:
    """A reply, whichever way it ended. ``model`` is the one that wrote it. Counts are the provider's, or estimated."""

    text: str
    thinking: str
    model: str
    status: ReplyStatus
    finish: Finish | None
    prompt_tokens: int
    completion_tokens: int
    first_piece_ms: float | None
    total_ms: float
    error: DocentError | None = None


class Reply:
    """A reply that is being generated, for the one who reads it: a source of pieces, and then ``generated``.

    Its generation runs in a task of its own, which ends at once when the reader leaves.
    """

    def __init__(self, wanted: Wanted, options: Generation) -> None:
        self.wanted = wanted
        self.options = options
        self.model = options.model
        self.arrived = perf_counter()
        self.first_piece_ms: float | None = None
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.finish: Finish | None = None
        self.interruption: ReplyStatus | None = None
        self.generation: asyncio.Task[None] | None = None
        self._channel: Channel[Piece] = Channel()
        self._reader = Reader(self._channel)
        self._opened = asyncio.Event()
        self._outcome: asyncio.Future[Generated] = asyncio.get_running_loop().create_future()

    # --- for whoever reads it -----------------------------------------------------------------------------------------
    async def opened(self, seconds: float) -> None:
        """Return at the first piece, or after so many seconds without one.

        Raises:
            DocentError: It failed before its first piece: the caller can still be given a status.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._opened.wait()
        except TimeoutError:
            return
        if self._outcome.done() and self.first_piece_ms is None and (error := self._outcome.result().error) is not None:
            raise error

    async def take(self) -> list[Piece]:
        """Return the next pieces, at least one; an empty list after the last one. ``generated`` then says how it ended."""
        return await self._reader.take()

    def leave(self) -> None:
        """Say that nobody reads any more; after the end this changes nothing."""
        self._channel.abandon()
        self.interrupt("stopped")

    async def generated(self) -> Generated:
        """Return the reply once it has ended, however that was."""
        return await asyncio.shield(self._outcome)

    async def whole(self) -> Generated:
        """Return the reply once it has ended.

        Raises:
            DocentError: It failed, or was cut.
        """
        self._channel.abandon()
        generated = await self.generated()
        if generated.error is not None:
            raise generated.error
        return generated

    async def settled(self) -> None:
        """Return once it has ended and its usage is noted."""
        await asyncio.wait([self._outcome])

    @property
    def ended(self) -> bool:
        """Whether it was said how it ended."""
        return self._outcome.done()

    def interrupt(self, status: Literal["stopped", "incomplete"]) -> None:
        """End the generation now, or as soon as it begins."""
        if self.interruption is None and not self.ended and (self.generation is None or not self.generation.done()):
            self.interruption = status
            if self.generation is not None:
                self.generation.cancel()

    # --- for whoever generates it -------------------------------------------------------------------------------------
    async def say(self, piece: Piece) -> None:
        """Hand on a piece, without what is no text; wait where the reader is too slow."""
        if self.first_piece_ms is None:
            self.first_piece_ms = _since(self.arrived)
            self.model = piece.model or self.model
            self._opened.set()
        if _NOT_TEXT.search(piece.text) or _NOT_TEXT.search(piece.thinking):
            piece = replace(piece, text=_NOT_TEXT.sub("", piece.text), thinking=_NOT_TEXT.sub("", piece.thinking))
        self.text.append(piece.text)
        if piece.thinking:
            self.thinking.append(piece.thinking)
        self.finish = piece.finish or self.finish
        self._channel.push(piece)
        if self._channel.full:
            await self._channel.room()

    def end(self, generated: Generated) -> None:
        """Say how it ended."""
        self._outcome.set_result(generated)
        self._opened.set()
        self._channel.close()


def generated_by(reply: Reply, generation: asyncio.Task[None]) -> Generated:
    """Return what became of a reply whose generation has ended."""
    status, error = _ending(reply, generation)
    text, thinking = "".join(reply.text), "".join(reply.thinking)
    counted = reply.finish or Finish("stop")
    # Who hangs up before the provider has counted pays by estimate, and who got nothing does not pay.
    read = tokens_of(reply.wanted.prompt) if reply.first_piece_ms is not None else 0
    said = estimate_tokens(text + thinking)
    return Generated(
        text=text,
        thinking=thinking,
        model=reply.model,
        status=status,
        finish=reply.finish,
        prompt_tokens=read if counted.prompt_tokens is None else counted.prompt_tokens,
        completion_tokens=said if counted.completion_tokens is None else counted.completion_tokens,
        first_piece_ms=reply.first_piece_ms,
        total_ms=_since(reply.arrived),
        error=error,
    )


def _ending(reply: Reply, generation: asyncio.Task[None]) -> tuple[ReplyStatus, DocentError | None]:
    raised = None if generation.cancelled() else generation.exception()
    if raised is not None and not isinstance(raised, DocentError):
        log.error("generation_failed", exc_info=raised)
        raised = DocentError()
    if reply.interruption == "stopped" and reply.finish is None:
        # Also where the provider's adapter has made an error of the cancellation.
        return "stopped", None
    if generation.cancelled():
        return "incomplete", ServerStoppingError()
    complete = raised is None and reply.finish is not None and reply.finish.reason == "stop"
    return ("complete" if complete else "incomplete"), raised


def tokens_of(prompt: Prompt) -> int:
    """Return an estimate of what a prompt takes, on the high side."""
    texts = (prompt.infill.prefix, prompt.infill.suffix) if prompt.infill else tuple(turn.content for turn in prompt.turns)
    return sum(estimate_tokens(text) + TURN_TOKENS for text in texts)


def _since(moment: float) -> float:
    return round((perf_counter() - moment) * 1000, 1)
