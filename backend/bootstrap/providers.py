"""Who serves language models."""

from backend.adapters.chat_models.extractive import ExtractiveChatModel
from backend.adapters.chat_models.langchain import LangChainChatModel
from backend.adapters.chat_models.ollama import OllamaChatModel
from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel, preset_for
from backend.bootstrap.servers import without_credentials
from backend.core.config import Settings
from backend.core.model_settings import OPENAI_COMPATIBLE
from backend.ports.chat_model import ChatModel

_QUOTES = "extractive"
_NAMES = {"openai": "OpenAI", "vllm": "vLLM", "llamacpp": "llama.cpp", "huggingface": "Hugging Face's router"}


def chat_model(settings: Settings, found: str | None) -> ChatModel:
    """Return the first provider; ``found`` is the version of the Ollama that answers, if one does."""
    provider = settings.chat_provider
    if provider == "auto":
        provider = "ollama" if found is not None else _QUOTES
    return _made(settings, provider, default_model=settings.chat_model)


def other_chat_models(settings: Settings, first: ChatModel) -> list[ChatModel]:
    """Return the other providers that are set up, and the one that answers with quotes if that is to take over."""
    names = [*settings.providers_set_up]
    beside = settings.chat_provider not in {"auto", "ollama", _QUOTES} and "ollama_url" in settings.model_fields_set
    if beside or (settings.chat_fallback or "").startswith("ollama/"):
        names.append("ollama")
    if settings.chat_fallback == _QUOTES:
        names.append(_QUOTES)
    return [_made(settings, name, default_model="") for name in names if name != first.provider]


def fallback_id(settings: Settings) -> str | None:
    """Return the id of the model that takes over."""
    return f"{_QUOTES}/{_QUOTES}" if settings.chat_fallback == _QUOTES else settings.chat_fallback


def provider_url(settings: Settings, provider: str) -> str:
    """Return where a provider answers, as it may be shown; ``""`` where it is in this process, or langchain's to know."""
    if provider == "ollama":
        return without_credentials(settings.ollama_url)
    if provider in OPENAI_COMPATIBLE:
        return without_credentials(preset_for(provider, settings.base_url(provider)).base_url)
    return ""


def chat_line(settings: Settings, model: ChatModel, found: str | None) -> str:
    """Return a sentence for people about what answers, and about what takes over from it."""
    line, fallback = _answering(settings, model, found), settings.chat_fallback
    if fallback is None or model.provider == _QUOTES:
        return line
    return f"{line}; while it is away, {'quotes take' if fallback == _QUOTES else f'{fallback} takes'} over"


def _answering(settings: Settings, model: ChatModel, found: str | None) -> str:
    if model.provider == "ollama":
        version = f"Ollama {found}" if found else "Ollama, which does not answer yet,"
        return f"{version} at {provider_url(settings, 'ollama')} answers with {model.default_model}"
    if model.provider in _NAMES:
        elsewhere = model.provider == "openai" and settings.openai_base_url is not None
        name = "A server with OpenAI's API" if elsewhere else _NAMES[model.provider]
        return f"{name} at {provider_url(settings, model.provider)} answers with {model.default_model}"
    if model.provider in settings.langchain_providers:
        return f"{model.provider} answers with {model.default_model}, through langchain"
    reason = "No Ollama found: meanwhile answers" if settings.chat_provider == "auto" else "No language model: answers"
    return f"{reason} quote the best sentences of your documents"


def _made(settings: Settings, provider: str, *, default_model: str) -> ChatModel:
    """Return a provider; a langchain one whose package is missing is a ``ConfigurationError``."""
    if provider == _QUOTES:
        return ExtractiveChatModel()
    first, between = settings.chat_first_token_seconds, settings.chat_between_tokens_seconds
    if provider == "ollama":
        return OllamaChatModel(
            settings.ollama_url,
            default_model=default_model,
            window=settings.chat_window,
            first_token_timeout=first,
            between_tokens_timeout=between,
        )
    if provider in OPENAI_COMPATIBLE:
        return OpenAICompatibleChatModel(
            preset_for(provider, settings.base_url(provider)),
            key=settings.api_key(provider),
            default_model=default_model,
            window=settings.chat_window,
            first_token_timeout=first,
            between_tokens_timeout=between,
        )
    return LangChainChatModel(
        provider,
        default_model=default_model,
        window=settings.chat_window,
        first_token_timeout=first,
        between_tokens_timeout=between,
    )
