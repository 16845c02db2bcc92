"""Every adapter of a model server, on the stand-in."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.adapters.chat_models.langchain import LangChainChatModel
from backend.adapters.chat_models.ollama import OllamaChatModel
from backend.adapters.chat_models.openai_compatible import OpenAICompatibleChatModel, preset_for
from backend.ports.chat_model import ChatModel
from tests.support.ollama import CHAT_MODEL


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to speak to the stand-in: who does it with which patience (first piece, between two), and where it arrives."""

    make: Callable[[str, float, float], ChatModel]
    path: str
    native_thinking: bool = True
    # How many times as long a test has to wait for it: its layers take their time at the first request.
    patience: float = 1.0


def _ollama(url: str, first: float, between: float) -> ChatModel:
    return OllamaChatModel(url, default_model=CHAT_MODEL.name, first_token_timeout=first, between_tokens_timeout=between)


def _compatible(url: str, first: float, between: float) -> ChatModel:
    preset = preset_for("vllm", f"{url}/v1")
    return OpenAICompatibleChatModel(
        preset, key="sk-secret", default_model=CHAT_MODEL.name, first_token_timeout=first, between_tokens_timeout=between
    )


def _langchain(url: str, first: float, between: float) -> ChatModel:
    return LangChainChatModel(
        "openai",
        default_model=CHAT_MODEL.name,
        first_token_timeout=first,
        between_tokens_timeout=between,
        arguments={"base_url": f"{url}/v1", "api_key": "sk-secret"},
    )


KINDS = {
    "ollama": Kind(_ollama, "/api/chat"),
    "vllm": Kind(_compatible, "/v1/chat/completions"),
    # langchain's class for OpenAI drops the fields in which other servers send reasoning.
    "openai through langchain": Kind(_langchain, "/v1/chat/completions", native_thinking=False, patience=3.0),
}
