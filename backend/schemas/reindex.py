"""Changes of the embedding model on the wire."""

from typing import Annotated

from pydantic import Field

from backend.core.config import EmbedderName
from backend.schemas.base import RequestModel, ResponseModel, Storable
from backend.services.reindexing import ReindexState


class ReindexIn(RequestModel):
    """The embedding model to change to. Without any, the vector index is rebuilt from the vectors that are there."""

    embedder: EmbedderName | None = None
    model: Annotated[
        Annotated[str, Field(min_length=1, max_length=200), Storable] | None,
        Field(
            description="As its server names it, such as `nomic-embed-text`, or the folder of an ONNX model. `hashing` has none."
        ),
    ] = None

    @property
    def name(self) -> str | None:
        """The name that services know the embedder by."""
        return f"{self.embedder or 'ollama'}/{self.model}" if self.model else self.embedder


class ReindexOut(ResponseModel):
    """How far a change of the embedding model is. It is complete when all owners are switched and nothing is missing."""

    embedder: str = Field(description="What everything is being embedded with.")
    complete: bool
    owners: int = Field(description="Accounts whose documents are indexed.")
    switched: int = Field(description="Those whose answers come from the new vectors.")
    chunks_missing: int = Field(description="Passages that still have to be embedded.")
    retired: int = Field(description="Old sets of vectors that are kept until they are dropped.")

    @classmethod
    def of(cls, state: ReindexState) -> "ReindexOut":
        """Build it from the service's answer."""
        return cls(
            embedder=state.embedder,
            complete=state.complete,
            owners=state.owners,
            switched=state.switched,
            chunks_missing=state.chunks_missing,
            retired=state.retired,
        )
