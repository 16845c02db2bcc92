"""Embeddings in OpenAI's shape."""

import base64
from typing import Annotated, Literal

import orjson
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from backend.schemas.base import ResponseModel, Storable
from backend.schemas.openai.forms import LIST, TEXT, ModelId, OpenAIRequest, TextOrList
from backend.services.gateway.service import Embedded


def _no_tokens(value: object) -> object:
    """Say what is wrong with what many clients send by themselves."""
    if isinstance(value, list) and value and isinstance(value[0], int | list):
        raise PydanticCustomError(
            "tokens_unsupported",
            "Send texts, not tokens: they would be those of another model. (langchain: check_embedding_ctx_length=False)",
        )
    return value


InputText = Annotated[str, Field(min_length=1, max_length=200_000), Storable]
InputTexts = Annotated[list[InputText], Field(min_length=1, max_length=2048), BeforeValidator(_no_tokens)]


class EmbeddingsIn(OpenAIRequest):
    """Texts to embed."""

    model: ModelId = Field(description="`docent`, or the embedding model of this server.")
    input: Annotated[Annotated[InputText, TEXT] | Annotated[InputTexts, LIST], TextOrList]
    encoding_format: Literal["float", "base64"] | None = Field(None, description="`base64`: the bytes of little-endian float32.")
    dimensions: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(None, description="Only the model's own number.")

    def texts(self) -> list[str]:
        """Return the texts in their order."""
        return [self.input] if isinstance(self.input, str) else self.input


class EmbeddingOut(ResponseModel):
    """The vector of a text."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsageOut(ResponseModel):
    """Tokens, estimated."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsOut(ResponseModel):
    """Vectors in the order of the texts, each of length 1."""

    object: Literal["list"] = "list"
    data: list[EmbeddingOut]
    model: str
    usage: EmbeddingUsageOut


def encoded(embedded: Embedded, *, as_base64: bool) -> bytes:
    """Return an ``EmbeddingsOut`` as it is sent: there may be millions of numbers, which no model has to look at."""
    rows = embedded.vectors.astype("<f4", copy=False)
    vectors = [base64.b64encode(row.tobytes()).decode() for row in rows] if as_base64 else list(rows)
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)],
        "model": embedded.model,
        "usage": {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens},
    }
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
