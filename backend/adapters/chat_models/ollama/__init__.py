"""Language models served by Ollama, over its own API."""

from backend.adapters.chat_models.ollama.library import OllamaLibrary
from backend.adapters.chat_models.ollama.model import OllamaChatModel, find_ollama

__all__ = ["OllamaChatModel", "OllamaLibrary", "find_ollama"]
