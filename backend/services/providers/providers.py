"""The providers of language models of an installation, as one: every model has an id, and finds its way to who serves it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from time import monotonic

import structlog

from backend.core.errors import ModelMissingError, ModelRefusedError, ModelUnavailableError, PromptTooLongError
from backend.core.model_settings import BUILT_IN
from backend.ports.chat_model import ChatModel, Generation, ModelDetails, Piece, Prompt
from backend.services.providers.attempts import Attempts, Begun, Found
from backend.services.providers.outages import Outages

log = structlog.get_logger(__name__)

BACK_OFF_SECONDS = 0.2
OUTAGE_SECONDS = 5.0
LISTING_SECONDS = 5.0
_LATEST = ":latest"


@dataclass(frozen=True, slots=True)
class Listing:
    """The models of all providers that answered, under their ids, in the order of the providers; and who did not answer."""

    models: tuple[ModelDetails, ...]
    silent: tuple[str, ...]


class Providers:
    """A ``ChatModel`` made of several. Models of the first one have bare ids, those of the others ``provider/model``.

    A provider that is busy is asked again, at most twice and within a few seconds. ``fallback`` is the id of a model that takes
    over where a provider is unavailable; its first piece then says ``model``. Both happen before the first piece, and never after
    it. A model that does not exist, or refuses the request, is not replaced: that is a mistake, and no outage.
    """

    def __init__(
        self,
        first: ChatModel,
        others: Sequence[ChatModel] = (),
        *,
        fallback: str | None = None,
        back_off_seconds: float = BACK_OFF_SECONDS,
        outage_seconds: float = OUTAGE_SECONDS,
        listing_seconds: float = LISTING_SECONDS,
    ) -> None:
        self.provider = first.provider
        self._first = first
        self._all = {provider.provider: provider for provider in (first, *others)}
        self.default_model = self.id_of(first, first.default_model)
        self.fallback = fallback
        self._outages: Outages[Found] = Outages(outage_seconds)
        self._attempts = Attempts(self._outages, back_off_seconds=back_off_seconds)
        self._listing_seconds = listing_seconds

    @property
    def all(self) -> Sequence[ChatModel]:
        """Every provider, the first one first."""
        return tuple(self._all.values())

    # --- ids ----------------------------------------------------------------------------------------------------------
    def found(self, model: str) -> Found:
        """Return who serves the model of an id. Whether it exists there is theirs to say.

        Names may hold slashes: only a provider of this installation is taken for one.
        """
        prefix, slash, name = model.partition("/")
        if slash and prefix in self._all:
            return Found(self._all[prefix], name)
        return Found(self._first, model)

    def id_of(self, provider: ChatModel, name: str) -> str:
        """Return the id of a provider's model; ``found`` leads back."""
        prefix, slash, _ = name.partition("/")
        bare = provider is self._first and not (slash and prefix in self._all)
        return name if bare else f"{provider.provider}/{name}"

    def canonical(self, model: str) -> str:
        """Return the id of a model that may have been named in another way."""
        found = self.found(model)
        return self.id_of(found.provider, found.name)

    def spellings(self, model: str) -> frozenset[str]:
        """Return all ids of a model. One without a tag is the one with the tag ``latest``."""
        found = self.found(model)
        name = found.name.removesuffix(_LATEST)
        names = {name, f"{name}{_LATEST}"} if ":" not in name.rpartition("/")[2] else {name}
        return frozenset(id_ for each in names for id_ in (self.id_of(found.provider, each), f"{found.provider.provider}/{each}"))

    # --- a model ------------------------------------------------------------------------------------------------------
    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[Piece, None]:
        """See ``ChatModel.stream``. A prompt that says nothing ``otherwise`` is for models that write, so no other takes over."""
        with self._told_apart(options.model):
            pieces, first = await self._begin(prompt, options)
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    async def details(self, model: str) -> ModelDetails:
        """See ``ChatModel.details``; the name is the id. While its provider is away, those of the fallback."""
        with self._told_apart(model):
            return await self._details_of(self.found(model))

    async def _details_of(self, found: Found) -> ModelDetails:
        if not self._replaceable(found):
            return await self._details(found)
        if not self._outages.last(found):
            begun = monotonic()
            try:
                details = await self._details(found)
            except ModelUnavailableError as error:
                self._outages.note(found, error, monotonic() - begun)
            else:
                # It may have known them by heart.
                self._outages.unknown(found)
                return details
        with _as_fallback():
            return await self._details(self._fallback)

    def writes(self, model: str) -> bool:
        """See ``ChatModel.writes``."""
        found = self.found(model)
        return found.provider.writes(found.name)

    # --- all of them --------------------------------------------------------------------------------------------------
    async def listing(self) -> Listing:
        """Describe the models of all providers, which are asked at the same time and have a few seconds each."""
        answers = await asyncio.gather(*(self._listed(provider) for provider in self._all.values()))
        asked = zip(self._all, answers, strict=True)
        silent = tuple(name for name, models in asked if models is None)
        return Listing(tuple(model for models in answers for model in models or ()), silent)

    async def models(self) -> Sequence[ModelDetails]:
        """Describe the models of all providers that answer.

        Raises:
            ModelUnavailableError: None of them did.
        """
        listing = await self.listing()
        if len(listing.silent) == len(self._all):
            raise ModelUnavailableError
        return listing.models

    async def check(self) -> None:
        """See ``ChatModel.check``; it is about the first provider."""
        await self._first.check()

    async def aclose(self) -> None:
        """Close them all."""
        for provider in self._all.values():
            await provider.aclose()

    # --- before the first piece ---------------------------------------------------------------------------------------
    async def _begin(self, prompt: Prompt, options: Generation) -> Begun:
        found = self.found(options.model)
        if not self._replaceable(found):
            return await self._attempts.begin(found, prompt, options)
        # What only a model that writes can do is not left to one that quotes.
        takes_over = prompt.otherwise is not None or self.writes(self.fallback or "")
        if not self._outages.last(found):
            try:
                return await self._attempts.begin(found, prompt, options)
            except ModelUnavailableError as error:
                if not takes_over:
                    raise
                log.warning("model_replaced", model=options.model, by=self.fallback, code=error.code)
        elif not takes_over:
            # Nobody waits again for what was just found to be away.
            raise ModelUnavailableError
        with _as_fallback():
            return await self._replaced(self._fallback, prompt, options)

    async def _replaced(self, found: Found, prompt: Prompt, options: Generation) -> Begun:
        details = await self._details(found)
        if prompt.infill is not None and "insert" not in details.capabilities:
            raise ModelUnavailableError
        # The window is the other model's own: with a larger one it would cut the prompt, with a smaller one load anew.
        window = details.context_window
        room = options.max_tokens and max(min(options.max_tokens, window // 2), 1)
        try:
            pieces, first = await self._attempts.begin(found, prompt, replace(options, window=window, max_tokens=room))
        except PromptTooLongError as refusal:
            # It was packed for the window of the other one.
            refusal.window = refusal.window or window
            raise
        return pieces, replace(first, model=self.id_of(found.provider, found.name))

    def _replaceable(self, found: Found) -> bool:
        """Return whether there is a fallback, and the model is another one."""
        return self.fallback is not None and found != self._fallback

    @contextmanager
    def _told_apart(self, model: str) -> Iterator[None]:
        """Say of a model of a provider that is not here just that: nobody can install it at the first one."""
        try:
            yield
        except ModelMissingError as error:
            prefix, slash, _ = model.partition("/")
            if slash and prefix in BUILT_IN and prefix not in self._all:
                raise ModelMissingError(f"The provider {prefix} is not set up here.") from error
            raise

    @property
    def _fallback(self) -> Found:
        return self.found(self.fallback or "")

    async def _details(self, found: Found) -> ModelDetails:
        details = await found.provider.details(found.name)
        return replace(details, name=self.id_of(found.provider, details.name))

    async def _listed(self, provider: ChatModel) -> Sequence[ModelDetails] | None:
        """Return a provider's models, or ``None`` if it does not answer in time."""
        try:
            async with asyncio.timeout(self._listing_seconds):
                models = await provider.models()
        except (ModelUnavailableError, ModelMissingError, TimeoutError) as error:
            log.warning("models_not_listed", provider=provider.provider, code=getattr(error, "code", "timeout"))
            return None
        return [replace(each, name=self.id_of(provider, each.name)) for each in models]


@contextmanager
def _as_fallback() -> Iterator[None]:
    """A fallback that does not exist, or cannot do what was asked, is the operator's choice: who asked did not name it."""
    try:
        yield
    except (ModelMissingError, ModelRefusedError) as error:
        log.error("fallback_failed", code=error.code, reason=error.message)
        raise ModelUnavailableError from error
