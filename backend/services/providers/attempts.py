"""Attempts to begin a reply."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from itertools import count
from random import uniform
from time import monotonic

import structlog

from backend.core.errors import ModelMissingError, ModelRefusedError, ModelUnavailableError, PromptTooLongError
from backend.ports.chat_model import ChatModel, Generation, Piece, Prompt
from backend.services.providers.outages import Outages

log = structlog.get_logger(__name__)

RETRIES = 2
PATIENCE_SECONDS = 3.0
"""A provider that wants to be left alone for longer, or took longer to fail, is not asked again: somebody waits."""

Begun = tuple[AsyncGenerator[Piece, None], Piece]
"""A stream, and the first piece of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who serves a model, and its name there."""

    provider: ChatModel
    name: str


class Attempts:
    """Begins replies. Who is busy is asked again after ``back_off_seconds`` and twice that, or when the provider says."""

    def __init__(self, outages: Outages[Found], *, back_off_seconds: float) -> None:
        self._outages = outages
        self._back_off = back_off_seconds

    async def begin(self, found: Found, prompt: Prompt, options: Generation) -> Begun:
        """Return a stream with its first piece. Errors are those of ``ChatModel.stream`` before the first piece."""
        options = replace(options, model=found.name)
        begun = monotonic()
        for attempt in count():
            asked = monotonic()
            pieces = found.provider.stream(prompt, options)
            try:
                first = await anext(pieces, None)
                if first is None:
                    raise ModelUnavailableError  # It ended without a word.
            except ModelUnavailableError as error:
                pause = self._pause(error, attempt, monotonic() - asked)
                if pause is None:
                    self._outages.note(found, error, monotonic() - begun)
                    raise
                log.info("model_asked_again", provider=found.provider.provider, seconds=round(pause, 2))
                await asyncio.sleep(pause)
            except (ModelMissingError, ModelRefusedError, PromptTooLongError):
                self._outages.over(found)
                raise
            else:
                self._outages.over(found)
                return pieces, first
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, error: ModelUnavailableError, attempt: int, took: float) -> float | None:
        """Return the seconds until the next attempt, or ``None`` if this one, which took so many, was the last."""
        if not error.retryable or attempt >= RETRIES or took > PATIENCE_SECONDS:
            return None
        # The class's own value is advice for clients; an instance's is what the provider said.
        told = vars(error).get("retry_after_seconds")
        if told is not None:
            return float(told) if told <= PATIENCE_SECONDS else None
        # Many were refused at the same time, and must not come back at the same time.
        return self._back_off * (1 << attempt) * uniform(0.5, 1.5)  # noqa: S311 - no secret
