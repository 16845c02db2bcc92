"""Which language model answers, and which embedder is used."""

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.ollama import OllamaChatModel
from backend.adapters.embedders.hashing import HashingEmbedder
from backend.adapters.embedders.ollama import OllamaEmbedder
from backend.bootstrap.servers import without_credentials
from backend.core.config import Settings
from backend.core.errors import ConfigurationError, EmbeddingRefusedError, UnavailableError
from backend.db.uow import UnitOfWork
from backend.ports.chat_model import ChatModel
from backend.ports.embedder import Embedder


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


async def choose_embedder(settings: Settings, uow: UnitOfWork, found: str | None) -> Embedder:
    """Choose once and remember: vectors of two embedders cannot be compared, so the choice never flips by itself.

    Raises:
        ConfigurationError: Documents were indexed with another embedder than the settings name.
    """
    ollama = OllamaEmbedder(settings.ollama_url, model=settings.embedding_model)
    wanted = ollama.identity if settings.embedder == "ollama" else HashingEmbedder.identity
    if settings.embedder == "auto" and found is not None and await _has_model(ollama):
        wanted = ollama.identity
    async with uow.system() as tx:
        remembered = await tx.settings.remember("embedder", wanted)
        if remembered != wanted and not await tx.generations.exist():
            # Nothing was indexed yet, so nothing is lost by a better choice.
            await tx.settings.replace("embedder", wanted)
            remembered = wanted
    if settings.embedder != "auto" and remembered != wanted:
        await ollama.aclose()
        raise ConfigurationError(
            f"The documents in this database were indexed with {remembered}, and EMBEDDER and EMBEDDING_MODEL ask for {wanted}. "
            "Set them back, or use an empty database."
        )
    if remembered == HashingEmbedder.identity:
        await ollama.aclose()
        return HashingEmbedder()
    if remembered != ollama.identity:
        await ollama.aclose()
        return OllamaEmbedder(settings.ollama_url, model=remembered.removeprefix("ollama/"))
    return ollama


async def _has_model(embedder: Embedder) -> bool:
    try:
        await embedder.dimensions()
    except (UnavailableError, EmbeddingRefusedError):  # Not there, or a model that does not embed.
        return False
    return True
