"""Language models served by Ollama, over its own API."""

from backend.adapters.chat_models.ollama.finding import find_ollama
from backend.adapters.chat_models.ollama.model import OllamaChatModel

__all__ = ["OllamaChatModel", "find_ollama"]
