"""Retrieve, pack, stream, cite, store: one turn from its stored question to its stored answer."""

import asyncio
from contextlib import aclosing
from time import perf_counter
from uuid import UUID

import stamina
import structlog

from backend.core.errors import (
    DatabaseUnavailableError,
    DocentError,
    ModelMissingError,
    ModelUnavailableError,
    ModelUnknownError,
    PromptTooLongError,
    QuestionTooLongError,
)
from backend.core.metrics import ANSWERS, FIRST_TOKEN, TOKENS
from backend.core.tracing import span
from backend.core.values.chat import Answer
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel, Finish, Generation, Prompt
from backend.rag.citations import resolve
from backend.rag.declining import declined
from backend.rag.gauging import TokenGauge
from backend.rag.packing import Packed
from backend.rag.wording import Wording
from backend.services.answering.attempts import Attempt
from backend.services.answering.events import Done, Failed, Found
from backend.services.answering.outcome import Progress, answer_of, ending, since, source_of
from backend.services.answering.prompting import Prompting
from backend.services.answering.running import RunningTurns, about
from backend.services.answering.titling import Titler
from backend.services.answering.turn import Asked, Turn
from backend.services.answering.understanding import Understanding, situation_of
from backend.services.channel import Channel
from backend.services.quotas import Quotas, spent
from backend.services.retrieval import Retriever

log = structlog.get_logger(__name__)


class Answering:
    """Runs turns, each in a task of its own that is held in ``turns`` until its answer is stored.

    A resumable one goes on for ``grace_seconds`` without readers.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        retriever: Retriever,
        model: ChatModel,
        quotas: Quotas,
        titler: Titler,
        *,
        max_tokens: int,
        turns: RunningTurns | None = None,
        grace_seconds: float = 0.0,
    ) -> None:
        self._uow = uow
        self._retriever = retriever
        self._model = model
        self._quotas = quotas
        self._titler = titler
        gauge = TokenGauge()
        self._understanding = Understanding(model, gauge)
        self._prompting = Prompting(model, gauge, max_tokens=max_tokens)
        self._grace_seconds = grace_seconds
        self.turns = RunningTurns() if turns is None else turns

    async def usable(self, owner_id: UUID, model: str) -> str:
        """Return the id of a model that somebody may use and that is known. Who may not use it does not learn whether it exists.

        Raises:
            ModelNotAllowedError: The owner's tier does not have it.
            ModelUnknownError: See ``assert_known``.
        """
        async with self._uow.of(owner_id) as tx:
            chosen = await self._quotas.check_model(tx, owner_id, model)
        await self.assert_known(model)
        return chosen

    async def assert_known(self, model: str) -> None:
        """Return if a model exists and may chat, or its provider cannot say so now.

        Raises:
            ModelUnknownError: It does not exist, or is for nothing but embedding.
        """
        try:
            details = await self._model.details(model)
        except ModelMissingError as error:
            raise ModelUnknownError(error.message) from error
        except ModelUnavailableError:
            log.info("model_not_looked_up", model=model)
        else:
            if details.capabilities == {"embedding"}:
                raise ModelUnknownError("The model that you asked for makes embeddings, and cannot answer.")

    def start(self, asked: Asked, *, streamed: bool, attempt: Attempt | None = None) -> Turn:
        """Begin to answer a question that is stored, and return the turn to read from.

        An ``attempt`` of a task decides whether what comes of it is stored, and its task ends together with its answer.
        """
        keeps = streamed and asked.question.resumable
        turn = Turn(asked, Channel(keeps=keeps), streamed, self._grace_seconds)
        self.turns.begin(turn, self._answer(turn, attempt))
        return turn

    async def drain(self, grace_seconds: float) -> None:
        """Give running answers so long to finish, then end them as ``incomplete``; return when all are stored."""
        await self.turns.drain(grace_seconds)

    async def _answer(self, turn: Turn, attempt: Attempt | None) -> None:
        with about(turn):
            await self._run(turn, attempt)

    async def _run(self, turn: Turn, attempt: Attempt | None) -> None:
        """Outlive the generation: a task that was cancelled cannot be trusted to store anything."""
        progress = Progress(situation_of(turn.asked))
        turn.generation = asyncio.create_task(self._generate(turn, progress))
        if turn.interruption is not None:
            turn.generation.cancel()
        await asyncio.wait([turn.generation])
        status, error = ending(turn, progress, turn.generation)
        answer = answer_of(turn, progress, status, error)
        try:
            with span("answer.store"):
                await self._store(turn, answer, error, attempt)
        except DocentError as failure:
            log.exception("answer_not_stored", message_id=str(answer.message_id))
            turn.end(Failed(failure))
            return
        _measure(answer)
        # An interrupted or incomplete answer is still an answer; only one that failed ends with an error.
        turn.end(Done(answer) if error is None else Failed(error))

    async def _generate(self, turn: Turn, progress: Progress) -> None:
        asked = turn.asked
        if progress.situation.search == "done":
            forms = await self._understanding.understand(asked, progress)
            begun = perf_counter()
            with span("retrieval", {"docent.forms": len(forms)}):
                progress.retrieved = await self._retriever.retrieve(asked.owner_id, forms, within=asked.within)
            progress.retrieval_ms = since(begun)
        if not progress.retrieved.passages and _from_documents_alone(progress):
            turn.emit(Found(()))
            return _decline(turn, progress)
        packed, options = await self._prompting.prompt(asked, progress)
        turn.emit(Found(tuple(source_of(citation) for citation in resolve("", packed.prompt.passages))))
        try:
            return await self._say(turn, progress, packed, options)
        except PromptTooLongError as refusal:
            packed, options = self._prompting.smaller(asked, progress, packed, options, refusal)
        try:
            await self._say(turn, progress, packed, options)
        except PromptTooLongError as refusal:
            raise QuestionTooLongError from refusal

    async def _say(self, turn: Turn, progress: Progress, packed: Packed, options: Generation) -> None:
        progress.packed = packed
        if not packed.prompt.passages and _from_documents_alone(progress):
            return _decline(turn, progress)
        wording = Wording(passage.marker for passage in packed.prompt.passages)
        try:
            await self._relay(turn, progress, packed.prompt, options, wording)
        finally:
            # What was held back, in case it became a marker or a link, was said too.
            if text := wording.finish():
                turn.say(text)
            progress.invented_markers = wording.invented
        if progress.finish is not None and progress.written_by is None:
            self._prompting.learn(turn.asked, packed, progress.finish)
        if wording.invented or wording.neutralised:
            log.info(
                "answer_corrected",
                message_id=str(turn.asked.message_id),
                invented_markers=wording.invented,
                neutralised=wording.neutralised,
            )

    async def _relay(self, turn: Turn, progress: Progress, prompt: Prompt, options: Generation, wording: Wording) -> None:
        with span(f"chat {options.model}", {"gen_ai.request.model": options.model}, kind="client") as said:
            async with aclosing(self._model.stream(prompt, options)) as pieces:
                async for piece in pieces:
                    if progress.first_token_ms is None:
                        progress.first_token_ms = since(turn.asked.arrived)
                        progress.written_by = turn.written_by = piece.model
                        said.event("first_token")
                        turn.open()
                    if text := wording.feed(piece.text):
                        turn.say(text)
                        if turn.channel.full:
                            await turn.channel.room()
                    progress.finish = piece.finish or progress.finish

    @stamina.retry(on=DatabaseUnavailableError, attempts=6, timeout=20)
    async def _store(self, turn: Turn, answer: Answer, error: DocentError | None, attempt: Attempt | None) -> None:
        """Store an answer. A database that restarts meanwhile does not lose what was said."""
        owner_id, key, failed = turn.asked.owner_id, turn.asked.idempotency_key, error is not None
        if attempt is not None and await attempt.goes_back(error):
            return
        async with self._uow.of(owner_id) as tx:
            if key is not None and failed and not (turn.streamed and answer.text):
                # The caller gets an error, so the same request may come again and ask anew.
                await tx.idempotency.forget(owner_id, key, subject_id=answer.message_id)
            elif key is not None:
                await tx.idempotency.finish_bound(owner_id, key, answer.message_id, status=200)
            # Noted even if its session was deleted meanwhile: the tokens were spent.
            await self._quotas.note(tx, owner_id, answer)
            if not turn.asked.kept:
                return
            # One that was stopped or failed takes no other's place.
            replaces = turn.asked.replaces if answer.text and answer.status != "stopped" and not failed else None
            await tx.sessions.touch(owner_id, answer.session_id)
            if attempt is not None:
                await attempt.end(tx, answer, error)
            stored = await tx.messages.finish(owner_id, answer, replaces=replaces)
        if attempt is not None:
            attempt.over = True
        if stored and not failed:
            self._titler.begin(turn.asked, answer)


def _measure(answer: Answer) -> None:
    timings = answer.timings
    ANSWERS.observe(timings.total_ms / 1000, answer.status, answer.answer_status)
    if timings.first_token_ms is not None:
        FIRST_TOKEN.observe(timings.first_token_ms / 1000, answer.model)
    for kind, tokens in zip(("prompt", "completion"), spent(answer), strict=True):
        TOKENS.add(tokens, answer.model, kind)


def _from_documents_alone(progress: Progress) -> bool:
    """Tell whether there must be passages to answer: strict questions are, courtesies excepted."""
    return progress.situation.strict and progress.situation.search != "small_talk"


def _decline(turn: Turn, progress: Progress) -> None:
    """Say that there is nothing to answer from, without asking the model."""
    progress.first_token_ms = since(turn.asked.arrived)
    turn.open()
    turn.say(declined(progress.situation, left_out=bool(progress.retrieved.passages)))
    progress.finish = Finish("stop", 0, 0)
