"""The models that the stand-in has installed, and how Ollama describes them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.ollama.window import DEFAULT_WINDOW


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model as ``ollama list`` and ``ollama show`` know it. ``context_length`` counts tokens."""

    name: str
    architecture: str = "llama"
    context_length: int = 131_072
    dimensions: int = 2048
    capabilities: tuple[str, ...] = ("completion", "tools")

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def details(self) -> dict[str, Any]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.architecture,
            "families": [self.architecture],
            "parameter_size": "1.2B",
            "quantization_level": "Q8_0",
        }

    def listed(self) -> dict[str, Any]:
        """As in ``GET /api/tags``."""
        return {
            "name": self.name,
            "model": self.name,
            "modified_at": "2026-01-01T00:00:00Z",
            "size": 1_321_098_329,
            "digest": self.digest,
            "details": self.details(),
            "capabilities": list(self.capabilities),
        }

    def shown(self) -> dict[str, Any]:
        """As in ``POST /api/show``."""
        return {
            "license": "",
            "modelfile": f"FROM {self.name}",
            "parameters": "",
            "template": "{{ .Prompt }}",
            "details": self.details(),
            "model_info": {
                "general.architecture": self.architecture,
                "general.parameter_count": 1_235_814_432,
                f"{self.architecture}.context_length": self.context_length,
                f"{self.architecture}.embedding_length": self.dimensions,
            },
            "capabilities": list(self.capabilities),
            "modified_at": "2026-01-01T00:00:00Z",
        }

    def running(self, context_length: int) -> dict[str, Any]:
        """As in ``GET /api/ps``."""
        return {
            "name": self.name,
            "model": self.name,
            "size": 1_500_000_000,
            "digest": self.digest,
            "details": self.details(),
            "expires_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
            "size_vram": 0,
            "context_length": context_length,
        }


def full_name(name: str) -> str:
    """Return the name with its tag, ``:latest`` where it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


class RefusedError(Exception):
    """An answer that is not a 200, as Ollama words it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class ModelShelf:
    """The models that are installed, and the windows with which they are loaded."""

    def __init__(self, models: Iterable[InstalledModel]) -> None:
        self._models = {full_name(model.name): model for model in models}
        self._loaded: dict[str, int] = {}

    def find(self, request: dict[str, Any], capability: str | None = None, *, action: str = "") -> InstalledModel:
        """Return the model that a request names, if it can do what is asked of it."""
        name = request.get("model") or ""
        if not name:
            raise RefusedError(400, "model is required")
        model = self._models.get(full_name(name))
        if model is None:
            raise RefusedError(404, f"model '{name}' not found")
        if capability is not None and capability not in model.capabilities:
            raise RefusedError(400, f'"{name}" does not support {action}')
        return model

    def load(self, model: InstalledModel, num_ctx: int | None) -> int:
        """Load a model and return its window: what was asked for, at most what it was trained with."""
        window = min(num_ctx or DEFAULT_WINDOW, model.context_length)
        self._loaded[full_name(model.name)] = window
        return window

    def add(self, model: InstalledModel) -> None:
        self._models[full_name(model.name)] = model

    def remove(self, model: InstalledModel) -> None:
        del self._models[full_name(model.name)]

    def listed(self) -> list[dict[str, Any]]:
        return [model.listed() for model in self._models.values()]

    def running(self) -> list[dict[str, Any]]:
        return [self._models[name].running(window) for name, window in self._loaded.items()]


CHAT_MODEL = InstalledModel("llama3.2:1b")
EMBEDDING_MODEL = InstalledModel("nomic-embed-text:latest", "nomic-bert", 2048, 256, ("embedding",))
