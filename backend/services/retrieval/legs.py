"""The legs of retrieval: each answers in its own time, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeVar

import structlog

from backend.core.errors import EmbedderUnavailableError, EmbeddingRefusedError
from backend.core.metrics import RETRIEVAL, RETRIEVAL_DOWN
from backend.core.tracing import span
from backend.core.values.chat import Leg

log = structlog.get_logger(__name__)

Hit = TypeVar("Hit")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How many seconds each leg has. One that is late counts as down."""

    dense: float = 10.0
    lexical: float = 10.0


@dataclass(frozen=True, slots=True)
class Heard(Generic[Hit]):
    """What a leg has found for each form of the question, best first. One that is ``down`` has found nothing."""

    found: list[list[Hit]]
    down: bool
    ms: float


class LateError(Exception):
    """Something did not answer before its deadline."""


@asynccontextmanager
async def deadline(moment: float) -> AsyncIterator[None]:
    """Cut the block at a moment of the loop's clock. A ``TimeoutError`` of the block's own stays what it is.

    Raises:
        LateError: The block was cut.
    """
    limit = asyncio.timeout_at(moment)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise LateError from error
        raise


async def heard(leg: Leg, search: Callable[[], Awaitable[list[list[Hit]]]], until: float) -> Heard[Hit]:
    """Wait for a leg until a moment of the loop's clock. Late, or without its embedder, it is down; a defect is raised."""
    begun = perf_counter()
    found: list[list[Hit]] = []
    down = True
    try:
        with span(f"retrieval.{leg}"):
            async with deadline(until):
                found = await search()
        down = False
    except LateError:
        log.warning("retrieval_leg_late", leg=leg)
    except (EmbedderUnavailableError, EmbeddingRefusedError) as error:
        log.warning("retrieval_leg_down", leg=leg, code=error.code)
    seconds = perf_counter() - begun
    RETRIEVAL.observe(seconds, leg)
    if down:
        RETRIEVAL_DOWN.add(1, leg)
    return Heard(found, down, round(seconds * 1000, 1))
