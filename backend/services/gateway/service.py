"""The use cases behind OpenAI's API. Nothing that is said here is kept; what it takes is noted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal
from uuid import UUID

import numpy as np

from backend.core.clock import now
from backend.core.errors import (
    DimensionsUnsupportedError,
    EmbeddingRefusedError,
    InputTooLongError,
    ModelUnavailableError,
    ModelUnknownError,
    ReplyShapeUnsupportedError,
)
from backend.core.ids import new_id
from backend.core.values.catalog import Catalog
from backend.core.values.chat import Question
from backend.core.values.user import EVERYTHING, Reach, Tier
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import Generation, Prompt
from backend.ports.chat_model import Turn as PromptTurn
from backend.ports.embedder import Embedder, Vectors
from backend.rag.tokens import estimate_tokens
from backend.services.answering.pipeline import Answering
from backend.services.answering.searchable import searchable
from backend.services.answering.turn import Asked, Turn
from backend.services.embedders import PREFERRED, Embedders
from backend.services.gateway.conversation import conversation_of
from backend.services.generating.reply import Reply, Wanted
from backend.services.generating.service import Generating
from backend.services.providers import Providers
from backend.services.quotas import Quotas

GROUNDED = "docent"
"""The model that answers from the caller's documents; with ``/`` and the id of a model, that one does."""

ListModels = Callable[[Tier], Awaitable[Catalog]]
"""Lists the models that an account of a tier may use, and who did not tell theirs."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What is to be said next in a conversation. ``document_ids`` and ``strict`` are for models that answer from documents."""

    model: str
    turns: tuple[PromptTurn, ...]
    generation: Generation
    document_ids: tuple[UUID, ...] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model by the name that requests give it. ``context_window`` counts tokens, where it is known."""

    id: str
    kind: Literal["chat", "embedding"]
    grounded: bool = False
    context_window: int | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors in the order of the texts, the identity of what made them, and the tokens that they count for (estimated)."""

    model: str
    vectors: Vectors
    tokens: int


class GatewayService:
    """Lists models, completes conversations, from the caller's documents or without, and embeds texts."""

    def __init__(
        self,
        uow: UnitOfWork,
        answering: Answering,
        generating: Generating,
        quotas: Quotas,
        embedders: Embedders,
        *,
        providers: Providers,
        list_models: ListModels,
    ) -> None:
        self._uow = uow
        self._answering = answering
        self._generating = generating
        self._quotas = quotas
        self._providers = providers
        self._embedders = embedders
        self._list_models = list_models

    async def models(self, owner_id: UUID, tier: Tier) -> Sequence[ServedModel]:
        """Return all models that the tier may use: those that answer from documents, those that write, last the one that embeds.

        Raises:
            ModelUnavailableError: There is none, and some provider of language models does not answer.
        """
        catalog = await self._list_models(tier)
        if not catalog.models and catalog.unavailable:
            raise ModelUnavailableError
        embedder = await self._embedder(owner_id)
        found = [model for model in catalog.models if model.capabilities != {"embedding"}]
        default = [model.context_window for model in found if model.default]
        return [
            *(ServedModel(GROUNDED, "chat", True, window) for window in default),
            *(ServedModel(f"{GROUNDED}/{model.id}", "chat", True, model.context_window) for model in found),
            *(ServedModel(model.id, "chat", False, model.context_window) for model in found if "chat" in model.capabilities),
            ServedModel(embedder.identity, "embedding"),
        ]

    async def model(self, owner_id: UUID, tier: Tier, model_id: str) -> ServedModel:
        """Return a model, whichever way it is named.

        Raises:
            ModelUnknownError: There is none of this name.
            ModelUnavailableError: As ``models``.
        """
        prefix, _, name = model_id.partition("/")
        if prefix == GROUNDED:
            ids = {f"{GROUNDED}/{id_}" for id_ in self._providers.spellings(name)} if name else {GROUNDED}
        else:
            ids = set(self._providers.spellings(model_id))
        for model in await self.models(owner_id, tier):
            if model.id in ids or (model.kind == "embedding" and model_id in _names_of(model.id)):
                return model
        raise ModelUnknownError

    async def complete(self, owner_id: UUID, wanted: Completion, *, streamed: bool, reach: Reach = EVERYTHING) -> Reply | Turn:
        """Begin to go on with a conversation: a turn for models that answer from documents, else a reply.

        Raises:
            QuestionMissingError: An answer from documents was wanted to no question.
            QuestionTooLongError: The question is too long to be searched with.
            ReplyShapeUnsupportedError: An answer from documents was wanted as JSON.
            DocumentNotFoundError: One of ``document_ids`` is not the caller's, or is out of reach.
            QuotaExceededError: Today's tokens are used up.
            ModelNotAllowedError: The caller's tier does not have the model.
            ModelUnknownError: The model does not exist.
            NoLanguageModelError: It only quotes documents, and was not asked to.
            ModelUnavailableError: Its provider does not answer.
        """
        prefix, _, model = wanted.model.partition("/")
        if prefix == GROUNDED:
            return await self._answer(owner_id, wanted, model or None, streamed=streamed, reach=reach)
        asked = [turn.content for turn in wanted.turns if turn.role == "user"]
        prompt = Prompt(wanted.turns, asked[-1] if asked else "")
        return await self._generating.begin(Wanted(owner_id, prompt, wanted.model, wanted.generation, writers_only=True))

    async def embed(self, owner_id: UUID, texts: Sequence[str], *, model: str, dimensions: int | None = None) -> Embedded:
        """Embed texts as passages of documents are, whole or not at all, with the model that new owners begin with.

        What was embedded counts, also where the rest fails. Cancelled, it asks for no more.

        Raises:
            ModelUnknownError: It is none of the names of that model.
            DimensionsUnsupportedError: Its vectors have another length.
            InputTooLongError: It refused one of the texts.
            QuotaExceededError: Today's tokens are used up.
            EmbedderUnavailableError: It does not answer.
        """
        async with self._uow.of(owner_id) as tx:
            await self._quotas.check_tokens(tx, owner_id)
        embedder = await self._embedder(owner_id)
        if model not in _names_of(embedder.identity):
            raise ModelUnknownError(f"The embedding model of this server is {embedder.identity}, and it has no other.")
        if dimensions is not None and dimensions != (length := await embedder.dimensions()):
            raise DimensionsUnsupportedError(f"The vectors of this embedding model have {length} dimensions, and no other number.")
        size = embedder.batch_size
        batches: list[Vectors] = []
        try:
            for at in range(0, len(texts), size):
                batches.append(await embedder.embed_documents(texts[at : at + size]))  # noqa: PERF401 - all or some
        except EmbeddingRefusedError as error:
            raise InputTooLongError from error
        finally:
            # What came back was paid for, also where the rest failed or the client has left.
            tokens = sum(estimate_tokens(text) for text in texts[: len(batches) * size])
            if batches:
                await asyncio.shield(self._note(owner_id, tokens))
        return Embedded(embedder.identity, np.concatenate(batches), tokens)

    async def _answer(self, owner_id: UUID, wanted: Completion, model: str | None, *, streamed: bool, reach: Reach) -> Turn:
        arrived = perf_counter()
        if wanted.generation.shape is not None:
            raise ReplyShapeUnsupportedError
        said = conversation_of(wanted.turns)
        async with self._uow.of(owner_id) as tx:
            chosen = await self._quotas.admit(tx, owner_id, model)
            found = await searchable(tx, owner_id, reach, wanted=wanted.document_ids)
        if model is not None:
            await self._answering.assert_known(chosen)
        asked = Asked(
            owner_id=owner_id,
            session_id=new_id(),
            message_id=new_id(),
            question=Question(
                said.question,
                document_ids=wanted.document_ids,
                model=model,
                temperature=wanted.generation.temperature,
                max_tokens=wanted.generation.max_tokens,
                strict=wanted.strict,
            ),
            model=chosen,
            within=found.within,
            ready=found.ready,
            pending_documents=found.pending_documents,
            history=said.history,
            arrived=arrived,
            strict=bool(wanted.strict),
            kept=False,
            wishes=said.wishes,
            generation=wanted.generation,
        )
        return self._answering.start(asked, streamed=streamed)

    async def _note(self, owner_id: UUID, tokens: int) -> None:
        async with self._uow.of(owner_id) as tx:
            await tx.usage.add(owner_id, now().date(), questions=0, prompt_tokens=tokens, completion_tokens=0)

    async def _embedder(self, owner_id: UUID) -> Embedder:
        async with self._uow.of(owner_id) as tx:
            identity: str = await tx.settings.get(PREFERRED)
        return self._embedders.named(identity)


def _names_of(identity: str) -> set[str]:
    """Return what an embedding model may be called: by its identity, with or without provider and version, or after us."""
    provider, _, name = identity.partition("/")
    bare = name.partition("@")[0]
    return {GROUNDED, identity, provider, name, bare, f"{provider}/{bare}"}
