"""Retrieve, pack, stream, cite, store: one turn from its stored question to its stored answer."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

import stamina
import structlog

from backend.core.errors import DatabaseUnavailableError, DocentError, ModelMissingError, ModelUnknownError
from backend.core.values.chat import Answer, AnswerStatus, ContextUse, MessageStatus, Source, Timings, Usage
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel, Finish, Generation, Prompt
from backend.rag.citations import Citation, resolve
from backend.rag.packing import Packed, pack
from backend.rag.wording import Wording
from backend.services.answering.channel import Channel
from backend.services.answering.events import Done, Failed, Found, Started
from backend.services.answering.titling import Titler
from backend.services.answering.turn import Asked, ServerStoppingError, Turn
from backend.services.quotas import Quotas
from backend.services.retrieval import Retrieved, Retriever

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Progress:
    """What is known of a turn so far; whatever interrupts it, this much is stored."""

    retrieved: Retrieved = field(default_factory=lambda: Retrieved((), ()))
    packed: Packed | None = None
    finish: Finish | None = None
    retrieval_ms: float | None = None
    first_token_ms: float | None = None


class Answering:
    """Runs turns, each in a task of its own that is held here until its answer is stored."""

    def __init__(
        self, uow: UnitOfWork, retriever: Retriever, model: ChatModel, quotas: Quotas, titler: Titler, *, max_tokens: int
    ) -> None:
        self._uow = uow
        self._retriever = retriever
        self._model = model
        self._quotas = quotas
        self._titler = titler
        self._max_tokens = max_tokens
        self._running: dict[UUID, tuple[Turn, asyncio.Task[None]]] = {}

    def start(self, asked: Asked, *, streamed: bool) -> Turn:
        """Begin to answer a question that is stored, and return the turn to read from."""
        turn = Turn(asked, Channel(), streamed)
        turn.emit(Started(asked.session_id, asked.message_id))
        task = asyncio.create_task(self._run(turn), name=f"turn-{asked.message_id}")
        self._running[asked.message_id] = (turn, task)
        task.add_done_callback(lambda ended: self._over(turn, ended))
        return turn

    def _over(self, turn: Turn, task: asyncio.Task[None]) -> None:
        """Let nobody wait for a turn that died of a defect."""
        del self._running[turn.asked.message_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("turn_failed", message_id=str(turn.asked.message_id), exc_info=error)
        if not turn.ended:
            turn.end(Failed(DocentError()))

    async def drain(self, grace_seconds: float) -> None:
        """Give running answers so long to finish, then end them as ``incomplete``; return when all are stored."""
        tasks = [task for _, task in self._running.values()]
        if tasks:
            log.info("answers_draining", answers=len(tasks))
            await asyncio.wait(tasks, timeout=grace_seconds)
        for turn, _ in list(self._running.values()):
            turn.interrupt("incomplete")
        if remaining := [task for _, task in self._running.values()]:
            await asyncio.wait(remaining)

    async def _run(self, turn: Turn) -> None:
        """Outlive the generation: a task that was cancelled cannot be trusted to store anything."""
        progress = Progress()
        turn.generation = asyncio.create_task(self._generate(turn, progress))
        await asyncio.wait([turn.generation])
        status, error = _ending(turn, progress, turn.generation)
        answer = self._answer(turn, progress, status, error)
        try:
            await self._store(turn, answer, failed=error is not None)
        except DocentError as failure:
            log.exception("answer_not_stored", message_id=str(answer.message_id))
            turn.end(Failed(failure))
            return
        # An interrupted or incomplete answer is still an answer; only one that failed ends with an error.
        turn.end(Done(answer) if error is None else Failed(error))

    async def _generate(self, turn: Turn, progress: Progress) -> None:
        asked = turn.asked
        if asked.ready:
            begun = perf_counter()
            progress.retrieved = await self._retriever.retrieve(asked.owner_id, asked.question.text, within=asked.within)
            progress.retrieval_ms = _since(begun)
        prompt, options = await self._prompt(asked, progress)
        turn.emit(Found(tuple(_source(citation) for citation in resolve("", prompt.passages))))
        wording = Wording(passage.marker for passage in prompt.passages)
        try:
            async with aclosing(self._model.stream(prompt, options)) as pieces:
                async for piece in pieces:
                    if progress.first_token_ms is None:
                        progress.first_token_ms = _since(asked.arrived)
                        turn.open()
                    if text := wording.feed(piece.text):
                        turn.say(text)
                        if turn.channel.full:
                            await turn.channel.room()
                    progress.finish = piece.finish or progress.finish
        finally:
            # What was held back, in case it became a marker or a link, was said too.
            if text := wording.finish():
                turn.say(text)
        if wording.invented or wording.neutralised:
            log.info(
                "answer_corrected",
                message_id=str(asked.message_id),
                invented_markers=wording.invented,
                neutralised=wording.neutralised,
            )

    async def _prompt(self, asked: Asked, progress: Progress) -> tuple[Prompt, Generation]:
        window = (await self._model.details(asked.model)).context_window
        max_tokens = min(asked.question.max_tokens or self._max_tokens, max(window // 2, 1))
        progress.packed = pack(
            asked.question.text,
            asked.history,
            progress.retrieved.passages,
            window=window,
            reserve=max_tokens,
            strict=False,
            searched=asked.ready,
        )
        options = Generation(asked.model, window, max_tokens=max_tokens, temperature=asked.question.temperature)
        return progress.packed.prompt, options

    def _answer(self, turn: Turn, progress: Progress, status: MessageStatus, error: DocentError | None) -> Answer:
        asked, packed, finish = turn.asked, progress.packed, progress.finish
        text = "".join(turn.parts)
        sources = tuple(_source(citation) for citation in resolve(text, packed.prompt.passages)) if packed else ()
        context = (
            ContextUse(packed.window, packed.used_tokens, packed.dropped_messages, packed.dropped_passages) if packed else None
        )
        return Answer(
            text=text,
            session_id=asked.session_id,
            message_id=asked.message_id,
            status=status,
            answer_status=_answer_status(asked, sources),
            model=asked.model,
            sources=sources,
            usage=Usage(finish.prompt_tokens if finish else None, finish.completion_tokens if finish else None, context),
            timings=Timings(progress.retrieval_ms, progress.first_token_ms, _since(asked.arrived)),
            finish_reason=finish.reason if finish else None,
            error_code=error.code if error else None,
            degraded=progress.retrieved.degraded,
            pending_document_ids=asked.pending_document_ids,
        )

    @stamina.retry(on=DatabaseUnavailableError, attempts=6, timeout=20)
    async def _store(self, turn: Turn, answer: Answer, *, failed: bool) -> None:
        """Store an answer. A database that restarts meanwhile does not lose what was said."""
        owner_id, key = turn.asked.owner_id, turn.asked.idempotency_key
        async with self._uow.of(owner_id) as tx:
            if key is not None and failed and not (turn.streamed and answer.text):
                # The caller gets an error, so the same request may come again and ask anew.
                await tx.idempotency.forget(owner_id, key, subject_id=answer.message_id)
            elif key is not None:
                await tx.idempotency.finish_bound(owner_id, key, answer.message_id, status=200)
            # Noted even if its session was deleted meanwhile: the tokens were spent.
            await self._quotas.note(tx, owner_id, answer)
            # One that was stopped or failed takes no other's place.
            replaces = turn.asked.replaces if answer.text and answer.status != "stopped" and not failed else None
            if await tx.messages.finish(owner_id, answer, replaces=replaces):
                await tx.sessions.touch(owner_id, answer.session_id)
        if not failed:
            self._titler.begin(turn.asked, answer)


def _ending(turn: Turn, progress: Progress, generation: asyncio.Task[None]) -> tuple[MessageStatus, DocentError | None]:
    """Judge how a generation ended: the status to store, and the error to report."""
    if generation.cancelled():
        match turn.interruption:
            case "stopped":
                return "stopped", None
            case _:
                return "incomplete", ServerStoppingError()
    error = generation.exception()
    if error is None:
        return ("incomplete" if progress.finish is None or progress.finish.reason == "length" else "complete"), None
    if not isinstance(error, DocentError):
        log.error("turn_failed", message_id=str(turn.asked.message_id), exc_info=error)
        error = DocentError()
    if isinstance(error, ModelMissingError) and turn.asked.question.model is not None:
        # What the request asked for is the request's mistake, and no outage.
        error = ModelUnknownError(error.message)
    return "incomplete", error


def _answer_status(asked: Asked, sources: tuple[Source, ...]) -> AnswerStatus:
    if not asked.ready and not asked.pending_document_ids:
        return "no_documents"
    if any(source.cited for source in sources):
        return "grounded"
    return "still_indexing" if asked.pending_document_ids and not sources else "not_in_documents"


def _source(citation: Citation) -> Source:
    passage = citation.passage
    return Source(
        marker=citation.marker,
        document_id=passage.document_id,
        title=passage.title,
        page=passage.page,
        heading=passage.heading,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        score=round(passage.score, 4),
        cited=citation.cited,
        version=passage.version,
    )


def _since(moment: float) -> float:
    return round((perf_counter() - moment) * 1000, 1)
