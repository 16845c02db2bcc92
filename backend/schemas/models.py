"""Models on the wire."""

from typing import Literal

from pydantic import Field

from backend.core.values.catalog import Catalog, CatalogModel
from backend.schemas.base import ResponseModel


class ModelOut(ResponseModel):
    """A model that the caller may use."""

    id: str = Field(description="What `model` of a question takes. Bare for the server's first provider, else `provider/model`.")
    provider: str
    context_window: int = Field(description="In tokens, as answers run with it; a model may have been trained for more.")
    size: int | None = Field(description="In bytes; null where the provider does not tell, as the next three.")
    family: str | None
    parameters: str | None = Field(description="In the provider's words, such as `1.2B`.")
    quantization: str | None = Field(description="In the provider's words, such as `Q8_0`.")
    capabilities: list[Literal["chat", "embedding", "insert", "thinking", "tools", "vision"]] = Field(
        description="`chat` is following instructions, `insert` filling a gap. None: it quotes."
    )
    default: bool = Field(description="Whether it answers the caller's questions that name no model.")

    @classmethod
    def of(cls, model: CatalogModel) -> "ModelOut":
        """Build it from the service's answer."""
        told = {name: getattr(model, name) for name in cls.model_fields}
        return cls.model_validate({**told, "capabilities": sorted(model.capabilities)})


class ModelsOut(ResponseModel):
    """The models of all providers that the caller may use."""

    models: list[ModelOut]
    unavailable: list[str] = Field(description="Providers that did not answer, so that their models are missing here.")

    @classmethod
    def of(cls, catalog: Catalog) -> "ModelsOut":
        """Build it from the service's answer."""
        return cls(models=[ModelOut.of(model) for model in catalog.models], unavailable=list(catalog.unavailable))
