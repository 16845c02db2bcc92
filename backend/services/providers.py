"""The providers of language models of an installation, as one: every model has an id, and finds its way to who serves it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from backend.core.errors import ModelMissingError, ModelUnavailableError
from backend.ports.chat_model import ChatModel, Generation, ModelDetails, Piece, Prompt

log = structlog.get_logger(__name__)


class Providers:
    """A ``ChatModel`` made of several. Models of the first one have bare ids, those of the others ``provider/model``.

    ``fallback`` is the id of a model that takes over, before the first piece, where a provider is unavailable. Its first piece then
    says ``model``. A model that does not exist is not replaced: that is a mistake, and no outage.
    """

    def __init__(self, first: ChatModel, others: Sequence[ChatModel] = (), *, fallback: str | None = None) -> None:
        self.provider = first.provider
        self.default_model = first.default_model
        self.fallback = fallback
        self._first = first
        self._all = {provider.provider: provider for provider in (first, *others)}

    @property
    def all(self) -> Sequence[ChatModel]:
        """Every provider, the first one first."""
        return tuple(self._all.values())

    def found(self, model: str) -> tuple[ChatModel, str]:
        """Return who serves the model of an id, and its name there. Whether it exists there is theirs to say."""
        prefix, slash, name = model.partition("/")
        if slash and prefix in self._all:
            return self._all[prefix], name
        return self._first, model

    def id_of(self, provider: ChatModel, name: str) -> str:
        """Return the id of a provider's model."""
        return name if provider is self._first else f"{provider.provider}/{name}"

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``."""
        begun = False
        try:
            async with aclosing(self._stream(options.model, prompt, options)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
            return
        except ModelUnavailableError as error:
            if begun or self.fallback is None or self._same(options.model, self.fallback):
                raise
            log.warning("model_replaced", model=options.model, by=self.fallback, code=error.code)
        # The window is the other model's own: with a larger one it would cut the prompt, or load anew.
        window = min(options.window, (await self.details(self.fallback)).context_window)
        async with aclosing(self._stream(self.fallback, prompt, replace(options, window=window))) as pieces:
            first: str | None = self.fallback
            async for piece in pieces:
                yield piece if first is None else replace(piece, model=first)
                first = None

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``; the name is the id. While its provider is away, those of the fallback."""
        provider, name = self.found(model)
        try:
            details = await provider.details(name)
        except ModelUnavailableError:
            if self.fallback is None or self._same(model, self.fallback):
                raise
            return await self.details(self.fallback)
        return replace(details, name=self.id_of(provider, details.name))

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``."""
        provider, name = self.found(model)
        return provider.writes(name)

    async def models(self) -> Sequence[ModelDetails]:
        """Describe the models of all providers that answer.

        Raises:
            ModelUnavailableError: None of them did.
        """
        found: list[ModelDetails] = []
        silent = 0
        for provider in self._all.values():
            try:
                found += [replace(each, name=self.id_of(provider, each.name)) for each in await provider.models()]
            except (ModelUnavailableError, ModelMissingError) as error:
                silent += 1
                log.warning("models_not_listed", provider=provider.provider, code=error.code)
        if silent == len(self._all):
            raise ModelUnavailableError
        return found

    async def check(self) -> None:
        """See ``ChatModel.check``; it is about the first provider."""
        await self._first.check()

    async def aclose(self) -> None:
        """Close them all."""
        for provider in self._all.values():
            await provider.aclose()

    def _stream(self, model: str, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        provider, name = self.found(model)
        return provider.stream(prompt, replace(options, model=name))

    def _same(self, one: str, other: str) -> bool:
        return self.found(one) == self.found(other)
