"""Which language model answers, and which embedder is used."""

import re
from collections.abc import Sequence

import structlog

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.ollama import OllamaChatModel
from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.embedders.ollama import OllamaEmbedder
from backend.adapters.embedders.onnx import OnnxEmbedder
from backend.bootstrap.servers import without_credentials
from backend.core.config import Settings
from backend.core.errors import ConfigurationError, EmbeddingRefusedError, UnavailableError
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel
from backend.ports.embedder import Embedder
from backend.services.embedders import PREFERRED, Embedders

log = structlog.get_logger(__name__)

ONNX_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A folder in ONNX_MODELS, and nothing that leads out of it."""


def may_use_ollama(settings: Settings) -> bool:
    """Return whether it is worth asking whether Ollama is there."""
    return settings.chat_provider in {"auto", "ollama"} or settings.embedder in {"auto", "ollama"}


def chat_model(settings: Settings, found: str | None) -> ChatModel:
    """Return the answerer; ``found`` is the version of the Ollama that answers, if one does."""
    if settings.chat_provider == "ollama" or (settings.chat_provider == "auto" and found is not None):
        return OllamaChatModel(
            settings.ollama_url,
            default_model=settings.chat_model,
            window=settings.chat_window,
            first_token_timeout=settings.chat_first_token_seconds,
            between_tokens_timeout=settings.chat_between_tokens_seconds,
        )
    return ExtractiveChatModel()


def chat_line(settings: Settings, model: ChatModel, found: str | None) -> str:
    """Return a sentence for people about what answers."""
    if model.provider == "ollama":
        version = f"Ollama {found}" if found else "Ollama, which does not answer yet,"
        return f"{version} at {without_credentials(settings.ollama_url)} answers with {model.default_model}"
    reason = "No Ollama found: meanwhile answers" if settings.chat_provider == "auto" else "No language model: answers"
    return f"{reason} quote the best sentences of your documents"


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
            f"There is no embedder {identity}: EMBEDDER is `ollama` or `onnx` with an EMBEDDING_MODEL, or `hashing`."
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
