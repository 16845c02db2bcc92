"""A store of models that can be filled."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.ports.chat_model import ModelDetails


@dataclass(frozen=True, slots=True)
class PullStep:
    """How far a pull is. ``status`` is in the library's words; a download counts bytes of one of several layers."""

    status: str
    layer: str | None = None
    total: int | None = None
    completed: int = 0


class ModelLibrary(Protocol):
    """What models a server has. Every method raises ``ModelUnavailableError`` where the server does not answer."""

    async def models(self) -> Sequence[ModelDetails]:
        """Describe all models, in the order of their names, those for embeddings included."""
        ...

    async def show(self, name: str) -> ModelDetails:
        """Describe one.

        Raises:
            ModelMissingError: It is not there.
        """
        ...

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Get a model, and say how far that is. Closed or cut in the middle, the next one goes on where it was.

        Raises:
            ModelUnknownError: There is no such model to get.
            PullFailedError: It could not be got; the message says why.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove a model.

        Raises:
            ModelMissingError: It is not there.
        """
        ...

    async def aclose(self) -> None:
        """Close connections; afterwards the object is not used again."""
        ...
