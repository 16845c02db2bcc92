"""Models in OpenAI's shape."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from backend.schemas.base import ResponseModel
from backend.services.gateway.service import ServedModel


class ServedModelOut(ResponseModel):
    """A model by the name that requests give it."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(0, description="Not known here: always 0.")
    owned_by: str = Field(description="`docent` for models that answer from the caller's documents, else `system`.")
    kind: Literal["chat", "embedding"] = Field(description="Whether it completes chats or embeds texts.")
    context_window: int | None = Field(description="Tokens, where they are known.")

    @classmethod
    def of(cls, model: ServedModel) -> Self:
        """Build it from the service's model."""
        return cls(
            id=model.id,
            owned_by="docent" if model.grounded else "system",
            kind=model.kind,
            context_window=model.context_window,
        )


class ServedModelList(ResponseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ServedModelOut]

    @classmethod
    def of(cls, models: Sequence[ServedModel]) -> Self:
        """Build it from the service's models."""
        return cls(data=[ServedModelOut.of(model) for model in models])
