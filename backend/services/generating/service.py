"""Plain generation: a prompt to a model, without documents and without a conversation that is kept."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import stamina
import structlog

from backend.core.clock import now
from backend.core.errors import DatabaseUnavailableError, DocentError, ModelMissingError, ModelUnknownError
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel
from backend.services.generating.reply import Generated, Reply, Wanted, generated_by
from backend.services.quotas import Quotas

log = structlog.get_logger(__name__)


class Generating:
    """Generates replies, each in a task of its own that is held until what it used is noted."""

    def __init__(self, uow: UnitOfWork, model: ChatModel, quotas: Quotas, *, max_tokens: int) -> None:
        self._uow = uow
        self._model = model
        self._quotas = quotas
        self._max_tokens = max_tokens
        self._running: dict[asyncio.Task[None], Reply] = {}

    async def begin(self, wanted: Wanted) -> Reply:
        """Begin to generate, within the caller's quota.

        Raises:
            ModelNotAllowedError: The caller's tier does not have the model.
            QuotaExceededError: Today's tokens are used up.
            ModelUnknownError: The model was asked for by name and does not exist.
            ModelUnavailableError: Its provider does not answer.
            ModelMissingError: The server's own model does not exist.
        """
        async with self._uow.of(wanted.owner_id) as tx:
            model = await self._quotas.check_model(tx, wanted.owner_id, wanted.model)
            await self._quotas.check_tokens(tx, wanted.owner_id)
        try:
            window = (await self._model.details(model)).context_window
        except ModelMissingError as error:
            raise _unknown(wanted, error) from error
        given = wanted.options
        most = min(self._max_tokens, window // 2) if given.max_tokens is None else min(given.max_tokens, window)
        options = replace(given, model=model, window=window, max_tokens=max(most, 1))
        reply = Reply(wanted, options)
        task = asyncio.create_task(self._run(reply), name=f"generation-{wanted.owner_id}")
        self._running[task] = reply
        task.add_done_callback(self._over)
        return reply

    async def drain(self, grace_seconds: float) -> None:
        """Give running replies so long to finish, then end them as ``incomplete``; return when all are noted."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=grace_seconds)
        for reply in list(self._running.values()):
            reply.interrupt("incomplete")
        if self._running:
            await asyncio.wait(list(self._running))

    async def _run(self, reply: Reply) -> None:
        """Outlive the generation: a task that was cancelled cannot be trusted to note anything."""
        reply.generation = asyncio.create_task(self._generate(reply))
        if reply.interruption is not None:
            reply.generation.cancel()
        await asyncio.wait([reply.generation])
        generated = generated_by(reply, reply.generation)
        try:
            await self._note(reply.wanted.owner_id, generated)
        except DocentError:
            log.exception("usage_not_noted", model=generated.model)
        reply.end(generated)

    async def _generate(self, reply: Reply) -> None:
        try:
            async with aclosing(self._model.stream(reply.wanted.prompt, reply.options)) as pieces:
                async for piece in pieces:
                    await reply.say(piece)
        except ModelMissingError as error:
            raise _unknown(reply.wanted, error) from error

    @stamina.retry(on=DatabaseUnavailableError, attempts=6, timeout=20)
    async def _note(self, owner_id: UUID, generated: Generated) -> None:
        async with self._uow.of(owner_id) as tx:
            await tx.usage.add(
                owner_id,
                now().date(),
                questions=1,
                prompt_tokens=generated.prompt_tokens,
                completion_tokens=generated.completion_tokens,
            )

    def _over(self, task: asyncio.Task[None]) -> None:
        """Let nobody wait for a reply that died of a defect."""
        reply = self._running.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("generation_failed", exc_info=error)
            reply.end(generated_by(reply, task))


def _unknown(wanted: Wanted, error: ModelMissingError) -> DocentError:
    """What the request asked for is the request's mistake, and no outage."""
    return error if wanted.model is None else ModelUnknownError(error.message)
