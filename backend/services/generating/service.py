"""Plain generation: a prompt to a model, without documents and without a conversation that is kept."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import stamina
import structlog

from backend.core.clock import now
from backend.core.errors import (
    DatabaseUnavailableError,
    DocentError,
    ModelMissingError,
    ModelUnavailableError,
    ModelUnknownError,
    NoLanguageModelError,
    PromptTooLongError,
    ServerStoppingError,
)
from backend.core.metrics import FIRST_TOKEN, TOKENS
from backend.core.tracing import span
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel, Generation, ModelDetails
from backend.services.generating.reply import Generated, Reply, Wanted, generated_by, tokens_of
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
        self._stopped = False

    async def begin(self, wanted: Wanted) -> Reply:
        """Begin to generate, within the caller's quota.

        Raises:
            ModelNotAllowedError: The caller's tier does not have the model.
            QuotaExceededError: Today's tokens are used up.
            ModelUnknownError: The model was asked for by name and does not exist.
            ModelUnavailableError: Its provider does not answer.
            ModelMissingError: The server's own model does not exist.
            NoLanguageModelError: One that writes is wanted, and this one only quotes.
            ServerStoppingError: The server is being stopped.
        """
        async with self._uow.of(wanted.owner_id) as tx:
            model = await self._quotas.admit(tx, wanted.owner_id, wanted.model)
        details = await self._details(wanted, model)
        reply = Reply(wanted, self._options(wanted, model, details.context_window))
        if self._stopped:
            raise ServerStoppingError
        task = asyncio.create_task(self._run(reply), name=f"generation-{wanted.owner_id}")
        self._running[task] = reply
        task.add_done_callback(self._over)
        return reply

    async def details(self, wanted: Wanted) -> ModelDetails:
        """Describe the model that would be asked.

        Raises:
            ModelNotAllowedError: The caller's tier does not have it, whether it exists or not.
            ModelUnknownError: It was asked for by name and does not exist.
            ModelUnavailableError: Its provider does not answer.
            ModelMissingError: The server's own model does not exist.
            NoLanguageModelError: One that writes is wanted, and this one only quotes.
        """
        async with self._uow.of(wanted.owner_id) as tx:
            model = await self._quotas.check_model(tx, wanted.owner_id, wanted.model)
        return await self._details(wanted, model)

    async def drain(self, grace_seconds: float) -> None:
        """Give running replies so long to finish, then end them as ``incomplete``; return when all are noted.

        After the grace none begins any more.
        """
        if self._running:
            log.info("replies_draining", replies=len(self._running))
            await asyncio.wait(list(self._running), timeout=grace_seconds)
        self._stopped = True
        for reply in list(self._running.values()):
            reply.interrupt("incomplete")
        if self._running:
            await asyncio.wait(list(self._running))

    async def _details(self, wanted: Wanted, model: str) -> ModelDetails:
        if wanted.writers_only and not self._model.writes(model):
            raise NoLanguageModelError
        try:
            details = await self._model.details(model)
        except ModelMissingError as error:
            raise _unknown(wanted, error) from error
        if wanted.writers_only and not self._model.writes(details.name):
            # These are the details of what takes over while the model's provider is away, and that only quotes.
            raise ModelUnavailableError
        if wanted.writers_only and not details.capabilities & {"chat", "insert"}:
            raise ModelUnknownError("The model that you asked for does not write text.") if wanted.model else NoLanguageModelError
        return details

    def _options(self, wanted: Wanted, model: str, window: int) -> Generation:
        """A reply may take what the prompt leaves of the window, by an estimate of that which is high, but always half of it."""
        most = min(self._max_tokens, window // 2)
        if wanted.options.max_tokens is not None:
            most = min(wanted.options.max_tokens, max(window - tokens_of(wanted.prompt), window // 2))
        return replace(wanted.options, model=model, window=window, max_tokens=max(most, 1))

    async def _run(self, reply: Reply) -> None:
        """Outlive the generation: a task that was cancelled cannot be trusted to note anything."""
        reply.generation = asyncio.create_task(self._generate(reply))
        if reply.interruption is not None:
            reply.generation.cancel()
        await asyncio.wait([reply.generation])
        generated = generated_by(reply, reply.generation)
        # Who got nothing does not pay.
        if reply.first_piece_ms is not None:
            try:
                await self._note(reply.wanted.owner_id, generated)
            except DocentError:
                log.exception("usage_not_noted", model=generated.model)
            FIRST_TOKEN.observe(reply.first_piece_ms / 1000, generated.model)
            for kind, tokens in (("prompt", generated.prompt_tokens), ("completion", generated.completion_tokens)):
                TOKENS.add(tokens, generated.model, kind)
        reply.end(generated)

    async def _generate(self, reply: Reply) -> None:
        wanted, options = reply.wanted, reply.options
        try:
            with span(f"chat {options.model}", {"gen_ai.request.model": options.model}, kind="client"):
                await self._relay(reply, wanted, options)
        except ModelMissingError as error:
            raise _unknown(wanted, error) from error
        except PromptTooLongError as error:
            window = error.window or options.window
            sentence = f"The prompt does not fit the model's context window of {window:,} tokens."
            raise PromptTooLongError(sentence, tokens=error.tokens, window=window) from error

    async def _relay(self, reply: Reply, wanted: Wanted, options: Generation) -> None:
        async with aclosing(self._model.stream(wanted.prompt, options)) as pieces:
            async for piece in pieces:
                if wanted.writers_only and piece.model is not None and not self._model.writes(piece.model):
                    # Its provider is away, and what takes over only quotes.
                    raise ModelUnavailableError
                await reply.say(piece)

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
        """Let nobody wait for a reply that died of a defect, or whose task was cancelled from outside."""
        reply = self._running.pop(task)
        if not reply.ended:
            if reply.generation is not None:
                reply.generation.cancel()
            reply.end(generated_by(reply, task))


def _unknown(wanted: Wanted, error: ModelMissingError) -> DocentError:
    """What the request asked for is the request's mistake, and no outage."""
    return error if wanted.model is None else ModelUnknownError(error.message)
