"""Language models served by Ollama, over its own API."""

from backend.adapters.chat_models.ollama.model import OllamaChatModel, find_ollama

__all__ = ["OllamaChatModel", "find_ollama"]
