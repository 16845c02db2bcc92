"""Which embedder is used."""

import re
from collections.abc import Sequence

import structlog

from backend.adapters.chat_models.openai_compatible import preset_for
from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.embedders.ollama import OllamaEmbedder
from backend.adapters.embedders.onnx import OnnxEmbedder
from backend.adapters.embedders.openai_compatible import OpenAICompatibleEmbedder
from backend.core.config import Settings
from backend.core.errors import ConfigurationError, EmbeddingRefusedError, UnavailableError
from backend.db.uow import UnitOfWork
from backend.ports.embedder import Embedder
from backend.services.embedders import PREFERRED, Embedders

log = structlog.get_logger(__name__)

ONNX_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A folder in ONNX_MODELS, and nothing that leads out of it."""

EMBEDDING = ("openai", "vllm", "llamacpp")
"""Servers with OpenAI's wire format whose embedding models are used."""


def may_use_ollama(settings: Settings) -> bool:
    """Return whether it is worth asking whether Ollama is there."""
    return settings.chat_provider in {"auto", "ollama"} or settings.embedder in {"auto", "ollama"}


def embedders(settings: Settings, given: Sequence[Embedder] = ()) -> Embedders:
    """Return the embedders that this installation can serve: those that are given, and whatever an identity names otherwise."""
    at_hand = {embedder.identity: embedder for embedder in given}
    named: dict[str, OnnxEmbedder] = {}

    def make(identity: str) -> Embedder:
        if identity in at_hand:
            return at_hand[identity]
        provider, _, model = identity.partition("/")
        if identity in ("hashing", HashingEmbedder.identity):
            return HashingEmbedder()
        if provider == "ollama" and model:
            return OllamaEmbedder(settings.ollama_url, model=model)
        if provider in settings.providers_set_up and provider in EMBEDDING and model:
            url = preset_for(provider, settings.base_url(provider)).base_url
            return OpenAICompatibleEmbedder(provider, url, model=model, key=settings.api_key(provider))
        name, made_by, _ = model.partition("@")
        if provider == "onnx" and ONNX_NAME.fullmatch(name):
            if made_by:
                # The one that was loaded to learn its identity is in memory already.
                loaded = named.get(name)
                same = loaded is not None and loaded.identity == identity
                return loaded if loaded and same else OnnxEmbedder(settings.onnx_models / name, identity=identity)
            named[name] = OnnxEmbedder(settings.onnx_models / name)
            return named[name]
        raise ConfigurationError(
            f"There is no embedder {identity}: EMBEDDER is `ollama`, `onnx`, or a provider that is set up, "
            "with an EMBEDDING_MODEL, or `hashing`."
        )

    return Embedders(make)


async def choose_embedder(
    settings: Settings, uow: UnitOfWork, available: Embedders, *, wanted: str | None, found: str | None
) -> str:
    """Choose once and remember: vectors of two embedders cannot be compared, so the choice never flips by itself.

    ``wanted`` is what a program asks for; else the settings do. Returns the identity that stands. A different wish of the settings
    is logged: `docent reindex` changes it, and nothing else.
    """
    if wanted is None:
        ollama = f"ollama/{settings.embedding_model}"
        wanted = ollama if settings.embedder == "ollama" else HashingEmbedder.identity
        if settings.embedder in EMBEDDING:
            wanted = f"{settings.embedder}/{settings.embedding_model}"
        if settings.embedder == "onnx":
            wanted = await _loaded(available.named(f"onnx/{settings.embedding_model}"))
        if settings.embedder == "auto" and found is not None and await _has_model(available.named(ollama)):
            wanted = ollama
    async with uow.system() as tx:
        remembered = str(await tx.settings.remember(PREFERRED, wanted))
        if remembered != wanted and not await tx.generations.exist():
            # Nothing was indexed yet, so nothing is lost by a better choice.
            await tx.settings.replace(PREFERRED, wanted)
            remembered = wanted
    if settings.embedder != "auto" and remembered != wanted:
        log.warning("embedder_differs_from_settings", indexed_with=remembered, settings=wanted, change_it_by="docent reindex")
    return remembered


async def _loaded(embedder: Embedder) -> str:
    """Return the identity of an embedder that has to read its files to know it; a damaged one prevents the start."""
    await embedder.dimensions()
    return embedder.identity


async def _has_model(embedder: Embedder) -> bool:
    try:
        await embedder.dimensions()
    except (UnavailableError, EmbeddingRefusedError):  # Not there, or a model that does not embed.
        return False
    return True
