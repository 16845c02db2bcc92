"""How a turn went: what is known of it so far, and the answer that is made of that."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import structlog

from backend.core.errors import DocentError, ModelMissingError, ModelUnknownError, ServerStoppingError
from backend.core.values.chat import Answer, AnswerStatus, ContextUse, MessageStatus, Source, Timings, Usage
from backend.ports.chat_model import Finish
from backend.rag.citations import Citation, resolve
from backend.rag.packing import Packed
from backend.rag.situation import Situation
from backend.services.answering.turn import Asked, Turn
from backend.services.retrieval import Retrieved

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Progress:
    """What is known of a turn so far; whatever interrupts it, this much is stored.

    ``meaning`` is the question as the model rewrote it, ``searched_for`` as it was searched, where that is not how it was asked.
    ``written_by`` is the model that took over from the one that was asked, if one did.
    """

    situation: Situation
    meaning: str | None = None
    searched_for: str | None = None
    rewrite_tokens: int = 0
    rewrite_ms: float | None = None
    retrieved: Retrieved = field(default_factory=lambda: Retrieved((), ()))
    packed: Packed | None = None
    finish: Finish | None = None
    invented_markers: int = 0
    retrieval_ms: float | None = None
    first_token_ms: float | None = None
    written_by: str | None = None


def answer_of(turn: Turn, progress: Progress, status: MessageStatus, error: DocentError | None) -> Answer:
    """Make the answer of what is known."""
    asked, packed, finish = turn.asked, progress.packed, progress.finish
    text = "".join(turn.parts)
    citations = resolve(text, packed.prompt.passages) if packed else []
    return Answer(
        text=text,
        session_id=asked.session_id,
        message_id=asked.message_id,
        status=status,
        answer_status=_answer_status(progress, citations),
        model=progress.written_by or asked.model,
        sources=tuple(source_of(citation) for citation in citations),
        usage=Usage(
            finish.prompt_tokens if finish else None,
            finish.completion_tokens if finish else None,
            _context(asked, packed) if packed else None,
            progress.rewrite_tokens,
        ),
        timings=Timings(progress.retrieval_ms, progress.first_token_ms, since(asked.arrived), progress.rewrite_ms),
        finish_reason=finish.reason if finish else None,
        error_code=error.code if error else None,
        degraded=progress.retrieved.degraded,
        pending_documents=asked.pending_documents,
        searched_for=progress.searched_for,
        invented_markers=progress.invented_markers,
    )


def ending(turn: Turn, progress: Progress, generation: asyncio.Task[None]) -> tuple[MessageStatus, DocentError | None]:
    """Judge how a generation ended: the status to store, and the error to report."""
    if generation.cancelled() or (turn.interruption is not None and progress.finish is None):
        # Also where the provider's adapter has made an error of the cancellation.
        return ("stopped", None) if turn.interruption == "stopped" else ("incomplete", ServerStoppingError())
    error = generation.exception()
    if error is None:
        return ("incomplete" if progress.finish is None or progress.finish.reason != "stop" else "complete"), None
    if not isinstance(error, DocentError):
        log.error("turn_failed", message_id=str(turn.asked.message_id), exc_info=error)
        error = DocentError()
    if isinstance(error, ModelMissingError) and turn.asked.question.model is not None:
        # What the request asked for is the request's mistake, and no outage.
        error = ModelUnknownError(error.message)
    return "incomplete", error


def source_of(citation: Citation) -> Source:
    """Return a citation as it is stored and sent."""
    passage = citation.passage
    place = passage.at(citation.start)
    return Source(
        marker=citation.marker,
        document_id=passage.document_id,
        title=passage.title,
        page=place.page,
        heading=place.heading,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        score=round(passage.score, 4),
        cited=citation.cited,
        version=passage.version,
    )


def since(moment: float) -> float:
    """Return the milliseconds since a moment of ``time.perf_counter``."""
    return round((perf_counter() - moment) * 1000, 1)


def _answer_status(progress: Progress, citations: Sequence[Citation]) -> AnswerStatus:
    match progress.situation.search:
        case "small_talk":
            return "not_searched"
        case "no_documents" | "still_indexing" as unsearched:
            return unsearched
        case "done":
            pass
    if any(citation.cited and citation.supported for citation in citations):
        return "grounded"
    if progress.retrieval_ms is None:
        return "not_searched"  # It ended before that.
    return "still_indexing" if progress.situation.pending and not progress.retrieved.passages else "not_in_documents"


def _context(asked: Asked, packed: Packed) -> ContextUse:
    """Say what was left out. Messages that are too old to be read at all are left out as well."""
    return ContextUse(packed.window, packed.used_tokens, packed.dropped_messages + asked.unread_messages, packed.dropped_passages)
