"""Where models are pulled from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backend.adapters.chat_models.ollama import OllamaChatModel, OllamaLibrary
from backend.core.config import Settings
from backend.ports.model_library import ModelLibrary


@asynccontextmanager
async def open_library(settings: Settings) -> AsyncIterator[ModelLibrary]:
    """Open the models of the Ollama at OLLAMA_URL. Nothing else has to run."""
    model = OllamaChatModel(settings.ollama_url, default_model=settings.chat_model, window=settings.chat_window)
    library = OllamaLibrary(settings.ollama_url, model.details)
    try:
        yield library
    finally:
        await library.aclose()
        await model.aclose()
