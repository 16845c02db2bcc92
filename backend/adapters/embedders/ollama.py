"""Embedding models served by Ollama."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from backend.adapters.wire.failures import WIRE_FAILURES, refusal_text
from backend.adapters.wire.http_session import HttpAnswer, HttpSession
from backend.adapters.wire.vectors import traits_of, unit_vectors
from backend.core.errors import DocentError, EmbedderUnavailableError, EmbeddingRefusedError
from backend.core.transactions import assert_no_transaction
from backend.ports.embedder import Vector, Vectors

# Ollama answers 400 as well when the process that runs the model died, which says nothing about the text.
_NOT_A_NUMBER: Final = "unsupported value: NaN"  # with status 500, of the encoder of Ollama's own answer
_RUNNER_FAILED: Final = ("embedding request", "embed response", "server status", "runner")


class OllamaEmbedder:
    """See ``Embedder``. ``request_timeout`` is seconds for a batch, the loading of the model included.

    Every batch is sent with ``truncate: false``: without it Ollama cuts the tail of a long text and says nothing.
    """

    batch_size = 32
    dense_weight = 0.5

    def __init__(self, base_url: str, *, model: str, connect_timeout: float = 5, request_timeout: float = 120) -> None:
        self._url = f"{base_url.rstrip('/')}/api/embed"
        self._model = model
        self._within = request_timeout
        self._http = HttpSession(connect_timeout=connect_timeout)
        self._traits = traits_of(model)
        self._dimensions: int | None = None
        self.identity = f"ollama/{model.removesuffix(':latest')}"
        self.max_characters = self._traits.max_characters
        self.relevance_threshold = self._traits.relevance_threshold

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """See ``Embedder.embed_documents``."""
        assert_no_transaction("embedding documents")
        if not texts:
            return np.empty((0, self._dimensions or 0), dtype=np.float32)
        prefixed = [self._traits.document_prefix + text for text in texts]
        batches = [await self._embed(prefixed[at : at + self.batch_size]) for at in range(0, len(prefixed), self.batch_size)]
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    async def embed_query(self, text: str) -> Vector:
        """See ``Embedder.embed_query``."""
        assert_no_transaction("embedding a question")
        vectors = await self._embed([self._traits.query_prefix + text])
        return np.asarray(vectors[0])

    async def dimensions(self) -> int:
        """See ``Embedder.dimensions``. Asked of the model once."""
        assert_no_transaction("asking for the length of the vectors")
        if self._dimensions is None:
            return int((await self._embed(["probe"])).shape[1])
        return self._dimensions

    async def aclose(self) -> None:
        """See ``Embedder.aclose``."""
        await self._http.aclose()

    async def _embed(self, texts: list[str]) -> Vectors:
        request = {"model": self._model, "input": texts, "truncate": False}
        try:
            answer = await self._http.exchange("POST", self._url, request, within=self._within)
            rows = answer.json().get("embeddings") if answer.status == 200 else None
        except WIRE_FAILURES as error:
            raise EmbedderUnavailableError(f"The embedding model {self._model} is not available right now.") from error
        if answer.status != 200:
            raise self._refused(answer)
        vectors = unit_vectors(rows, len(texts), model=self._model)
        self._dimensions = vectors.shape[1]
        return vectors

    def _refused(self, answer: HttpAnswer) -> DocentError:
        if answer.status == 404:
            return EmbedderUnavailableError(
                f"Ollama does not have the embedding model {self._model}. Install it with: docent models pull {self._model}"
            )
        said = refusal_text(answer.body)
        if _NOT_A_NUMBER in said:
            # A defect of some models with some texts. Another try gives the same, and the other texts of the batch are fine.
            return EmbeddingRefusedError(f"The embedding model {self._model} found no vector for a part of the text.")
        if answer.status in {400, 413} and not any(phrase in said for phrase in _RUNNER_FAILED):
            return EmbeddingRefusedError()
        return EmbedderUnavailableError(f"The embedding model {self._model} is not available right now.")
