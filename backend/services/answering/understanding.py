"""From a question as it was asked to the forms in which it is searched."""

import asyncio
from contextlib import aclosing
from time import perf_counter

import structlog

from backend.core.errors import AnswerCutError, DocentError
from backend.core.tracing import span
from backend.ports.chat_model import ChatModel, Generation
from backend.rag.follow_ups import REPLY_TOKENS, leaned_on, needs_rewriting, rewriting, standalone
from backend.rag.gauging import TokenGauge
from backend.rag.situation import Situation
from backend.rag.small_talk import is_small_talk
from backend.rag.tokens import estimate_tokens
from backend.rag.wording import Wording
from backend.services.answering.outcome import Progress, since
from backend.services.answering.turn import Asked

log = structlog.get_logger(__name__)

REWRITE_SECONDS = 10.0
"""How long the model may take to rewrite a question: it is a few words, and somebody waits."""


def situation_of(asked: Asked) -> Situation:
    """Tell how a question stands to the documents."""
    pending = len(asked.pending_documents)
    if is_small_talk(asked.question.text):
        return Situation("small_talk", strict=asked.strict)
    if not asked.ready:
        return Situation("still_indexing" if pending else "no_documents", pending, strict=asked.strict)
    return Situation("done", pending, strict=asked.strict)


class Understanding:
    """Makes questions that lean on the conversation stand alone, with the model where it can, and without it otherwise."""

    def __init__(self, model: ChatModel, gauge: TokenGauge, *, seconds: float = REWRITE_SECONDS) -> None:
        self._model = model
        self._gauge = gauge
        self._seconds = seconds

    async def understand(self, asked: Asked, progress: Progress) -> tuple[str, ...]:
        """Return the forms of a question to search for, the best first, and note in ``progress`` what it was understood as.

        A model that fails, is late or talks nonsense costs time and nothing else: then the previous question is searched together
        with this one.
        """
        question = asked.question.text
        if not needs_rewriting(question, asked.history):
            return (question,)
        rewritten = await self._rewritten(asked, progress) if self._model.writes(asked.model) else None
        if rewritten is not None and _same(rewritten, question):
            return (question,)
        progress.meaning = rewritten
        if rewritten is not None:
            progress.searched_for = rewritten
            return rewritten, question
        before = leaned_on(asked.history)
        progress.searched_for = " ".join((*before, question))
        # Together they may be too much for one search: then the one that stands alone finds what was spoken about.
        return tuple(dict.fromkeys((progress.searched_for, *before[:1], question)))

    async def _rewritten(self, asked: Asked, progress: Progress) -> str | None:
        begun = perf_counter()
        try:
            with span("answer.rewrite"):
                async with asyncio.timeout(self._seconds):
                    reply = await self._reply(asked, progress)
        except (DocentError, TimeoutError) as error:
            if isinstance(error, DocentError) and not isinstance(error, AnswerCutError):
                progress.rewrite_tokens = 0  # It did not begin.
            log.warning("question_not_rewritten", message_id=str(asked.message_id), reason=getattr(error, "code", "timeout"))
            return None
        finally:
            progress.rewrite_ms = since(begun)
        rewritten = None if reply is None else standalone(reply, asked.question.text, asked.history)
        if rewritten is None:
            log.info("rewriting_refused", message_id=str(asked.message_id))
        return rewritten

    async def _reply(self, asked: Asked, progress: Progress) -> str | None:
        """Return what the model replies, or ``None`` if it was not asked or had more to say. Its tokens count, however it ends."""
        window = (await self._model.details(asked.model)).context_window
        scale = self._gauge.ratio(asked.gauged)
        made = rewriting(asked.question.text, asked.history, window=window, scale=scale)
        if made is None:
            return None
        progress.rewrite_tokens = made.estimate
        options = Generation(asked.model, window, max_tokens=REPLY_TOKENS, temperature=0.0, think=False)
        # People see what was searched for, and models read it: no markers, no images, no links.
        wording, parts, finish = Wording(()), [], None
        async with aclosing(self._model.stream(made.prompt, options)) as pieces:
            async for piece in pieces:
                parts.append(wording.feed(piece.text))
                finish = piece.finish or finish
        reply = "".join(parts) + wording.finish()
        if finish is None:
            return None
        self._gauge.note(asked.gauged, estimate=made.estimate, counted=finish.prompt_tokens)
        read = made.estimate if finish.prompt_tokens is None else finish.prompt_tokens
        said = estimate_tokens(reply) if finish.completion_tokens is None else finish.completion_tokens
        progress.rewrite_tokens = read + said
        return reply if finish.reason == "stop" else None


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
